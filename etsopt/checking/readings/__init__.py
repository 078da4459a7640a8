"""What an instance says, read a second time from its tables, its policy and the texts of the plans.

No model and no rule calls this room, and it calls none of them. The checker stands on it, so that a fault in what
models and rules derive is found; charts and forecasts draw on it too.
"""

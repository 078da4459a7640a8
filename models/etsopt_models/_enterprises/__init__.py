"""Responses of enterprises with accounts of their own to prices, and the prices that clear their market."""

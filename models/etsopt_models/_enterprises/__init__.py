"""What enterprises with accounts of their own answer to prices, and the prices that clear their market."""

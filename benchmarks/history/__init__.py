"""Balance of power beside official figures, and the price of 2025 beside the market's own."""

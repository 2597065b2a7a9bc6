"""Weather years, and what the plant makes of them."""

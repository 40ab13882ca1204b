"""What the connections of all doors need, whatever travels through them."""

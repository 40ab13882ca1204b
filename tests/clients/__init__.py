"""Other people's GraphQL clients: each subscribes, posts, is cut off, and recovers."""

"""The GraphQL adapter: operations in, results out. What they mean is in `chat`."""

"""The GraphQL door: operations in, results out. Their meaning is in `chat`."""

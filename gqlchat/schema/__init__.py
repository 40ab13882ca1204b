"""The GraphQL schema: a file for each noun."""

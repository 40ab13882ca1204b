"""Limits that are checked before an operation runs: its size, and how much it asks for."""

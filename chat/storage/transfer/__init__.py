"""Rooms and people as JSON Lines, out of the site and into it. docs/export.md has the format."""

"""What leaves the site as files, and comes into it: rooms and people as JSON Lines. docs/export.md has the format."""

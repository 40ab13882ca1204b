"""The programs of examples/, each started as its README.md says, on a real server."""

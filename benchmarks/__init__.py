"""What hearing a message costs here and elsewhere: `make bench`. README.md says how it is measured."""

"""The cost of a delivery, here and elsewhere: `make bench`. README.md says how it is measured."""

"""The steps of the Containerfile in a new Debian, without a container engine: `make container-check`."""

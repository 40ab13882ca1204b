"""The errors of export and import, written for the operator at the terminal."""


class TransferError(Exception):
    """The command can't do what it was asked for."""


class InvalidExport(TransferError):
    """A file isn't an export, or has a line that isn't one of an export. `number` is the line's, from 1."""

    def __init__(self, problem: str, number: int | None = None) -> None:
        super().__init__(problem if number is None else f"line {number}: {problem}")
        self.number = number

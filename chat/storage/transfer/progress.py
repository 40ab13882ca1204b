"""How far a long piece of work has come, for whoever shows it."""

from collections.abc import Callable

Progress = Callable[[int, int | None], None]
"""Is told how many pieces are done, and of how many; None where nobody knows."""


def silent(done: int, total: int | None) -> None:
    """A Progress that shows nothing."""

"""What there is one of for each event loop. Tests have many loops, and nothing of one is of use in another."""

import asyncio
from typing import Self
from weakref import WeakKeyDictionary


class OfLoop:
    """Base of a class with one object for each event loop, which goes with the loop."""

    _of_loop: WeakKeyDictionary[asyncio.AbstractEventLoop, Self]

    def __init_subclass__(cls) -> None:
        cls._of_loop = WeakKeyDictionary()

    @classmethod
    def here(cls) -> Self:
        """That of the running event loop."""
        loop = asyncio.get_running_loop()
        if loop not in cls._of_loop:
            cls._of_loop[loop] = cls()
        return cls._of_loop[loop]

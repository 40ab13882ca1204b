"""One instance per event loop. Tests have many loops, and nothing of one is of use in another."""

import asyncio
from typing import Self
from weakref import WeakKeyDictionary


class PerLoop:
    """Base of a class that has one instance per event loop, which goes with the loop."""

    _instances: WeakKeyDictionary[asyncio.AbstractEventLoop, Self]

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls._instances = WeakKeyDictionary()

    @classmethod
    def here(cls) -> Self:
        """The instance of the running event loop, made on first use."""
        loop = asyncio.get_running_loop()
        instance = cls._instances.get(loop)
        if instance is None:
            instance = cls._instances[loop] = cls()
        return instance

"""The domain's enums as types of the schema, in which each value has a description."""

from collections.abc import Mapping
from enum import Enum
from typing import Any

import strawberry


def describe(enum: type[Enum], *, name: str, description: str, values: Mapping[Any, str]) -> None:
    """Makes `enum` a type of the schema. `values` has the description of each member. Raises KeyError without one."""
    strawberry.enum(enum, name=name, description=description)
    for value in enum.__strawberry_definition__.values:  # type: ignore[attr-defined]
        value.description = values[enum(value.value)]

"""Refusals of whole requests over HTTP, in GraphQL's form, made before GraphQL is asked."""

import json
from collections.abc import Mapping
from typing import Any

from chat.domain.languages import in_language_of
from chat.errors import ChatError


def content_of(error: ChatError, scope: Mapping[str, Any]) -> bytes:
    """The body of the answer, for the person at the other end of the connection."""
    with in_language_of(scope):
        return json.dumps({"errors": [{"message": str(error), "extensions": error.details}]}).encode()

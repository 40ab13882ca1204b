"""Making and revoking tokens. The connections of a token that is revoked end within seconds, on all instances."""

from typing import Any

from chat.delivery.login_hints import hint
from chat.domain.people import Person
from chat.domain.token_requests import TokenRequest
from chat.storage import tokens
from chat.storage.database import in_database


async def create(request: TokenRequest, *, user_id: Any, by: Person | None) -> str:
    """Makes a token of the user's. Returns it: nobody can read it again. `by` is the person who does it.

    Raises TooManyTokens or Unavailable.
    """
    return await in_database(tokens.create, user_id=user_id, request=request, by=by)


async def revoke(token_id: int, *, user_id: Any, by: Person | None) -> None:
    """Revokes a token of the user's, if there is one of that id. Raises Unavailable."""
    if await in_database(tokens.delete, user_id=user_id, token_id=token_id, by=by):
        await hint(tokens=[token_id])

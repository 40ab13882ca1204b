"""Changing one's avatar: a picture comes in as a file on this machine and becomes a small square WebP."""

import asyncio
import logging
from collections.abc import Iterable
from pathlib import Path
from uuid import UUID, uuid4

from django.utils.translation import gettext_lazy as _

from chat.actions import rate_limits
from chat.domain.avatars import EDGE
from chat.domain.people import Person
from chat.errors import LoginRequired, Unavailable
from chat.pictures import prepared
from chat.storage import avatars, file_store
from chat.storage.database import in_database

logger = logging.getLogger(__name__)


async def change(picture: Iterable[bytes], *, by: Person) -> None:
    """Makes the picture, whose bytes come in parts, the avatar of `by`.

    Raises LoginRequired, InvalidPicture, RateLimited or Unavailable.
    """
    if by.is_guest:
        raise LoginRequired(_("Log in to have a profile."))
    await rate_limits.spend(by, on="profile")
    square = await _square(picture)
    id = uuid4()
    try:
        await asyncio.to_thread(_save, square, id)
    except OSError as error:
        logger.error("Can't store an avatar: %s", error)
        raise Unavailable(_("Files can’t be stored at the moment. Please try again later.")) from error
    try:
        before = await in_database(avatars.change, by, id)
    except BaseException:
        await asyncio.to_thread(avatars.delete, id)
        raise
    await _delete(before)


async def remove(*, by: Person) -> None:
    """Raises LoginRequired, RateLimited or Unavailable."""
    await rate_limits.spend(by, on="profile")
    await _delete(await in_database(avatars.change, by, None))


async def _square(picture: Iterable[bytes]) -> bytes:
    path = await asyncio.to_thread(_write, picture)
    try:
        return (await prepared.prepare(path, edge=EDGE, square=True)).preview
    finally:
        await asyncio.to_thread(path.unlink, missing_ok=True)


def _write(parts: Iterable[bytes]) -> Path:
    with file_store.new_incoming() as file:
        for part in parts:
            file.write(part)
    return Path(file.name)


def _save(content: bytes, id: UUID) -> None:
    file_store.save(_write([content]), id)


async def _delete(id: UUID | None) -> None:
    if id is not None:
        await asyncio.to_thread(avatars.delete, id)

"""Asks a linked page, and the host of its picture, for what is to be shown of them."""

import asyncio
import logging
import tempfile
from pathlib import Path
from uuid import UUID

from chat.domain.link_pages import PageFacts, is_page, read_page
from chat.errors import ChatError
from chat.outgoing.client import Answer, Client, OutgoingError, Stopped
from chat.pictures.prepared import Picture, prepare
from chat.storage import link_pictures

PAGE_BYTES = 512_000  # that are read of a page
PICTURE_BYTES = 5_000_000
PICTURE_EDGE = 480  # pixels of the longer side: a card is 240 wide, and screens have two for each

Size = tuple[int, int]

logger = logging.getLogger(__name__)


async def ask(url: str, picture_id: UUID) -> tuple[PageFacts | None, Size | None]:
    """The facts of a page, None where it can't be shown, and the size of its picture, which is kept by that id.

    Raises Stopped.
    """
    answer = await _fetch(url, limit=PAGE_BYTES, accept="text/html,application/xhtml+xml", cut=True)
    content_type = answer.headers.get("Content-Type", "") if answer else ""
    if answer is None or not is_page(content_type):
        return None, None
    facts = await asyncio.to_thread(read_page, answer.body, content_type=content_type, url=answer.url)
    if facts is None or not facts.picture_url:
        return facts, None
    return facts, await _keep_picture(facts.picture_url, picture_id)


async def _keep_picture(url: str, id: UUID) -> Size | None:
    answer = await _fetch(url, limit=PICTURE_BYTES, accept="image/webp,image/png,image/jpeg,image/gif")
    if answer is None:
        return None
    try:
        picture = await _small(answer.body)
        await asyncio.to_thread(link_pictures.keep, id, picture.preview)
    except (ChatError, OSError) as error:
        logger.info("A page's picture can't be shown: %s", type(error).__name__)
        return None
    return picture.preview_width, picture.preview_height


async def _small(content: bytes) -> Picture:
    """The picture, made small. Raises InvalidPicture or Unavailable."""
    with tempfile.TemporaryDirectory(prefix="chat-link-") as folder:
        file = Path(folder) / "picture"
        await asyncio.to_thread(file.write_bytes, content)
        return await prepare(file, edge=PICTURE_EDGE)


async def _fetch(url: str, *, limit: int, accept: str, cut: bool = False) -> Answer | None:
    """The answer, if it is a good one. Raises Stopped."""
    try:
        answer = await Client.here().fetch(url, limit=limit, accept=accept, cut=cut)
    except Stopped:
        raise
    except OutgoingError as error:
        logger.info("A link can't be shown: %s", type(error).__name__)
        return None
    return answer if answer.status == 200 else None

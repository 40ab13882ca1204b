"""Knowledge of the pages that messages link to, and which messages show it.

Of all processes, one asks for a page: it claims the page's row, and finishes or releases it. What is known is asked for
again by a later message: after FRESH, or after FAILED_FOR where the page couldn't be shown.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from chat import models
from chat.domain.events import Event, Kind
from chat.domain.link_pages import PageFacts
from chat.domain.links import Link, LinkPicture, MessageLinks, key_of
from chat.domain.people import Person
from chat.domain.rooms import Room
from chat.errors import NoSuchMessage, NotAllowed
from chat.models import Verb
from chat.storage import audit, history, link_pictures, permissions
from chat.storage.database import writes

FRESH = timedelta(days=7)
FAILED_FOR = timedelta(hours=1)
CLAIM_LASTS = timedelta(minutes=1)  # longer than a process asks; one that has ended never finishes


@dataclass(frozen=True, slots=True)
class Known:
    """The last answer: a link to show, or None where there is nothing to show."""

    link: Link | None


def are_shown(room: Room) -> bool:
    """Whether previews of links are shown in `room`: as its moderators decided, else in public rooms alone."""
    found = models.Room.objects.filter(name=room.name).values_list("link_previews", "is_private").first()
    chosen, private = found or (None, False)
    return bool(not (private or room.is_direct) if chosen is None else chosen)


def known(url: str) -> Known | None:
    """The knowledge of a page; None where it has to be asked for, or is being asked for right now."""
    row = models.LinkPreview.objects.filter(~_stale(timezone.now()), key=key_of(url)).first()
    return Known(_link(row)) if row else None


@writes
def claim(room: Room, url: str) -> UUID | None:
    """Takes it on to ask for a page that a message in `room` links to. None if somebody else has, or just did.

    Returns the id for the page's picture, if it has one.
    """
    now = timezone.now()
    unclaimed = Q(claimed_at=None) | Q(claimed_at__lt=now - CLAIM_LASTS)
    if models.LinkPreview.objects.filter(unclaimed, _stale(now), key=key_of(url)).update(claimed_at=now):
        return models.LinkPreview.objects.values_list("picture_id", flat=True).get(key=key_of(url))
    try:
        with transaction.atomic():
            row = models.LinkPreview.objects.create(key=key_of(url), url=url, claimed_at=now, used_at=now)
    except IntegrityError:
        return None
    return row.picture_id


@writes
def release(room: Room, url: str) -> None:
    """Gives a claim back, so that the next message's link claims it."""
    models.LinkPreview.objects.filter(key=key_of(url), fetched_at=None).delete()
    models.LinkPreview.objects.filter(key=key_of(url)).update(claimed_at=None)


@writes
def finish(room: Room, url: str, facts: PageFacts | None, size: tuple[int, int] | None = None) -> Link | None:
    """Stores the answer to a claim; `facts` are None where the page can't be shown. Returns the link to show.

    `size` is the picture's width and height, if there is one; `chat.storage.link_pictures` keeps that.
    """
    row = models.LinkPreview.objects.get(key=key_of(url))
    row.found = facts is not None
    row.claimed_at, row.fetched_at = None, timezone.now()
    if facts is not None:
        row.title, row.description, row.site_name = facts.title, facts.description, facts.site_name
    row.picture_width, row.picture_height = size or (None, None)
    row.save()
    return _link(row)


@writes
def show(room: Room, offset: int, text: str, links: list[Link]) -> tuple[Link, ...]:
    """Has the message at `offset` show `links`, but for those that were removed from it. Returns those that it shows.

    They are none if it hasn't that text any more, or is gone. Its row is changed, and no entry is written: nothing that
    people say depends on it.
    """
    with transaction.atomic():
        row = _messages(room, offset).filter(text=text).first()
        if row is None:
            return ()
        shown = MessageLinks.from_json(row.links).with_shown(links)
        _store(row, shown)
        used = [key_of(link.url) for link in shown.shown]
        models.LinkPreview.objects.filter(key__in=used).update(used_at=timezone.now())
    return shown.shown


@writes
def remove(room: Room, offset: int, url: str, *, by: Person | None) -> tuple[Link, ...] | None:
    """Has the message at `offset` never show the page at `url` again. Returns those that it shows then.

    None if it doesn't show that page. No entry is written, as in `show`. Raises NoSuchMessage, NotAllowed, Banned or
    NotAMember.
    """
    with transaction.atomic():
        permissions.check(room, by)
        row = _messages(room, offset).first()
        if row is None:
            raise NoSuchMessage(_("There is no message {offset} here."), offset=offset)
        own = by is not None and row.person_id == by.id
        if by is not None and not (own or permissions.permission(room, by).may_moderate):
            raise NotAllowed(
                _("You can remove previews from what you said yourself. The rest is up to the moderators of the room.")
            )
        links = MessageLinks.from_json(row.links)
        if url not in {link.url for link in links.shown}:
            return None
        left = links.without(url)
        _store(row, left)
        if not own:
            author = Person(id=row.person_id, name=row.person_name) if row.person_id else None
            audit.record(by, Verb.PREVIEW_REMOVED, room=room, target=author, offset=offset)
    return left.shown


@writes
def set_link_previews(room: Room, on: bool, *, by: Person | None) -> Event | None:
    """Has previews shown in the room from now on, or not; also in a direct one. Raises NotAllowed."""
    permissions.check(room, by)
    actor = permissions.permission(room, by) if by else None
    if actor is not None and not (actor.may_moderate or (room.is_direct and actor.may_enter)):
        raise NotAllowed(_("Only the owners and moderators of a room can switch previews of links on or off there."))
    with transaction.atomic():
        changed = models.Room.objects.filter(name=room.name).exclude(link_previews=on).update(link_previews=on)
        if changed and not room.is_direct:
            audit.record(by, Verb.ROOM_LINK_PREVIEWS_CHANGED, room=room, on=on)
    return None  # it is no entry of the log


def forget_unused(before: datetime) -> int:
    """Forgets the pages to which no message links that was stored since. Returns how many."""
    rows = models.LinkPreview.objects.filter(used_at__lt=before)
    for id in rows.exclude(picture_width=None).values_list("picture_id", flat=True).iterator():
        link_pictures.delete(id)
    return rows.delete()[0]


def _messages(room: Room, offset: int) -> QuerySet[models.Message]:
    """The message at `offset`, locked, if it is there and not deleted."""
    found = history.rows(room).select_for_update()
    return found.filter(offset=offset, kind=Kind.MESSAGE, deletion=None)


def _store(row: models.Message, links: MessageLinks) -> None:
    row.links = links.as_json()
    row.save(update_fields=["links"])


def _stale(now: datetime) -> Q:
    never = Q(fetched_at=None)
    return never | Q(found=True, fetched_at__lt=now - FRESH) | Q(found=False, fetched_at__lt=now - FAILED_FOR)


def _link(row: models.LinkPreview) -> Link | None:
    if not row.found:
        return None
    picture = None
    if row.picture_width and row.picture_height:
        picture = LinkPicture(row.picture_id.hex, row.picture_width, row.picture_height)
    return Link(row.url, row.title, row.description, row.site_name, picture)

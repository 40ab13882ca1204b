"""The next entries of a webhook, from its position on, and what somebody has asked to be sent once more."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from chat import models
from chat.domain import events, people
from chat.domain.events import Event, Kind
from chat.domain.people import PROFILE
from chat.domain.positions import Position
from chat.domain.recoveries import Recovery, RecoveryRequest
from chat.domain.rooms import Room
from chat.domain.webhooks import Webhook
from chat.errors import ChatError
from chat.storage import accounts, history, permissions, quotes, recoveries
from chat.storage.database import reads_long

READ_SIZE = 20  # entries of a room that are read at once: what is sent is never much older
ROOMS_MAX = 20  # that are read at once
REQUESTED_MAX = 5
# In the place of an entry's id, with what tells one restoring from another behind it: what came after the position was
# told once, and is gone.
RESTORED = "restored"
# Positions after which nothing is to be told.
AT_END = Q(room__last_offset=F("offset")) & ~Q(entry_id__startswith=RESTORED)
OVERLAP = timedelta(minutes=2)  # rooms know to the minute when something was last said in them


@dataclass(frozen=True, slots=True)
class Batch:
    """The entries of a room that follow the position `after`; `end` is the position after them."""

    room: Room
    after: Position
    entries: Sequence[Event]
    end: Position

    def after_going_back(self, told: Position) -> "Batch":
        """The same, if a webhook has been `told` of more than `after`, so that its position was set back."""
        if self.entries and self.entries[0].kind is Kind.START_OVER:
            return self
        return replace(self, entries=[_start_over(self.room, self.after, told), *self.entries])


@dataclass(frozen=True, slots=True)
class Requested:
    """A delivery that is to be sent once more; `event` is None for a test, and for what isn't kept any more."""

    message_id: str
    type: str
    event: Event | None


@dataclass(frozen=True, slots=True)
class Work:
    """The work that a webhook has for its courier. `read_at` is when its rooms were looked through."""

    webhook: Webhook
    requested: Sequence[Requested]
    batches: Sequence[Batch]
    read_at: datetime
    swept_at: datetime | None
    is_excluded: bool = False
    """Whether the person in charge of the webhook may not hear this any more: then there is no work."""


@reads_long
def next_work(webhook_id: int, courier: str) -> Work | None:
    """None if the webhook is off, or isn't the courier's any more."""
    row = _rows().filter(pk=webhook_id, courier=courier, off_since=None).first()
    if row is None:
        return None
    now = timezone.now()
    webhook = _webhook(row, now)
    work = Work(webhook, _requested(row, webhook), _batches(row, webhook), now, row.swept_at)
    if _is_excluded(row):  # asked last, so that nothing is told that was said after the exclusion
        return replace(work, requested=[], batches=[], is_excluded=True)
    return work


def _is_excluded(row: models.Webhook) -> bool:
    """Whether the person in charge may not read the room any more; of the site's bots, whether they are no staff."""
    if not row.person_id:
        return False
    users = accounts.users().filter(is_active=True)
    user = users.filter(pk=row.person_id.removeprefix(people.USER)).first() if _is_user(row.person_id) else None
    if user is None:
        return True
    if row.room is None:
        return not user.is_staff
    room = Room(row.room.name)
    return permissions.problems([room], people.of_user(user))[room] is not None


def _is_user(person_id: str) -> bool:
    return people.USER_ID.fullmatch(person_id) is not None


def _rows() -> QuerySet[models.Webhook]:
    return models.Webhook.objects.select_related("room", f"bot__user__{PROFILE}", f"author__{PROFILE}")


def _webhook(row: models.Webhook, now: datetime) -> Webhook:
    former = row.former_secret and row.former_until is not None and row.former_until > now
    return Webhook(
        id=row.pk,
        url=row.url,
        secrets=(row.secret, row.former_secret) if former else (row.secret,),
        room=Room(row.room.name) if row.room else None,
        bot=people.of_user(row.bot.user) if row.bot else None,
        author=people.of_user(row.author) if row.author and row.author.is_active else None,
        attempts=row.attempts,
        failing_since=row.failing_since,
        due_at=row.due_at,
    )


def _requested(row: models.Webhook, webhook: Webhook) -> list[Requested]:
    asked = row.deliveries.filter(requested=True).order_by("pk")[:REQUESTED_MAX]
    found = {one.message_id: _entry(one, webhook) for one in asked}
    return [Requested(one.message_id, one.type, found[one.message_id]) for one in asked]


def _entry(delivery: models.WebhookDelivery, webhook: Webhook) -> Event | None:
    """The entry of a delivery as it is now, if it is still the same and may be read."""
    if delivery.offset is None:
        return None
    room = Room(delivery.room_name)
    event = history.find(room, delivery.offset)
    if event is None or webhook.message_id(event) != delivery.message_id:
        return None
    if webhook.bot is not None and permissions.problems([room], webhook.bot)[room]:
        return None
    return quotes.with_quotes([event])[0]


def _batches(row: models.Webhook, webhook: Webhook) -> list[Batch]:
    """The entries that follow, in each room that has some, as far as the bot, if it is one's, may read now."""
    if row.bot is not None and not is_there(row.bot):
        return []
    positions = _positions_of_room(row) if row.room_id else _positions_of_rooms(row)
    requests = [
        RecoveryRequest(log=room, after=after, size=READ_SIZE, resumed=True, person=webhook.bot)
        for room, after in positions.items()
    ]
    found = zip(requests, recoveries.recover_all(requests), strict=True)
    return [_batch(request, recovery) for request, recovery in found if not isinstance(recovery, ChatError)]


def is_there(bot: models.Bot) -> bool:
    """Whether the bot is there: as for its tokens, a room's bot has to be a member of the room."""
    if not bot.user.is_active:
        return False
    return bot.room_id is None or models.RoomMember.objects.filter(room=bot.room_id, user=bot.user_id).exists()


def _positions_of_room(row: models.Webhook) -> dict[Room, Position]:
    behind = row.positions.filter(room=row.room_id).exclude(AT_END)
    return _as_positions(behind.select_related("room"))


def _positions_of_rooms(row: models.Webhook) -> dict[Room, Position]:
    """Of rooms in which something was said lately, and the bot was mentioned since the webhook was made."""
    since = (row.swept_at or row.made_at) - OVERLAP
    member = models.RoomMember.objects.filter(room=OuterRef("pk"), user=row.bot_id)
    lately = models.Room.objects.filter(Q(is_private=False) | Q(Exists(member)), active_at__gte=since)
    known = row.positions.filter(room__in=lately).exclude(AT_END).select_related("room")
    found = _as_positions(known[:ROOMS_MAX])
    calls = models.Mention.objects.filter(room=OuterRef("pk"), person_id=f"{people.USER}{row.bot_id}")
    new = lately.filter(Exists(calls)).exclude(pk__in=row.positions.values("room"))
    for room in new[: ROOMS_MAX - len(found)]:
        found[Room(room.name)] = _first_position(room, row)
    return found


def _first_position(room: models.Room, row: models.Webhook) -> Position:
    """Before the first mention of the bot since the webhook was made; at the end of the log, if there is none."""
    calls = models.Mention.objects.filter(room=room, person_id=f"{people.USER}{row.bot_id}").values("offset")
    messages = models.Message.objects.filter(room=room, sent_at__gte=row.made_at, offset__in=calls)
    first = messages.order_by("offset").values_list("offset", flat=True).first()
    return Position(room.last_offset if first is None else first - 1)


def _as_positions(rows: Iterable[Any]) -> dict[Room, Position]:
    return {Room(one.room.name): Position(one.offset, one.entry_id or None) for one in rows}


def _batch(request: RecoveryRequest, recovery: Recovery) -> Batch:
    if recovery.events is not None:
        return Batch(request.log, request.after, recovery.events, recovery.last)
    position = _after_gap(request, recovery.end)
    return Batch(request.log, request.after, [_start_over(request.log, position, request.after)], position)


def _start_over(room: Room, position: Position, told: Position) -> Event:
    """Tells a webhook that has been `told` of another position that what comes next follows this one."""
    return replace(events.start_over(room, position), previous=told.id)


def _after_gap(request: RecoveryRequest, end: Position) -> Position:
    """Where to go on if the log doesn't go on from the position: before what is left of it, or at its end."""
    if (request.after.id or "").startswith(RESTORED) and request.after.offset <= end.offset:
        return Position(request.after.offset)
    pruned_to = models.Room.objects.filter(name=request.log.name).values_list("pruned_to", flat=True).first() or 0
    return Position(pruned_to) if request.after.offset < pruned_to <= end.offset else end

"""A person's own choices about being notified: where, of what, and how much it says."""

from typing import Any

from django.conf import settings

from chat.actions import rate_limits
from chat.domain.grants import Scope
from chat.domain.people import Person
from chat.domain.rooms import Room
from chat.domain.subscriptions import NOT_UNDERSTOOD, InvalidSubscription, clean_endpoint, clean_keys
from chat.models import Detail
from chat.storage import notification_choices, push_subscriptions
from chat.storage.database import in_database
from chat.storage.notification_choices import Choice
from chat.storage.push_subscriptions import Subscription


async def subscribe(
    given: object, *, person: Person, session_key: str, label: str = "", language: str = "", before: object = None
) -> Subscription | None:
    """Has the person notified on a browser; `given` is what `PushSubscription.toJSON()` says there.

    With `before`, the endpoint that the browser had, it only takes that one's place, if it was the person's; else it is
    None. Raises InvalidSubscription, LoginRequired, NotAllowed, RateLimited or Unavailable.
    """
    match given:
        case {"endpoint": endpoint, "keys": {"p256dh": p256dh, "auth": auth}}:
            insecure = bool(settings.CHAT_OUTGOING_NETWORKS)  # push services of the site's own network
            address, keys = clean_endpoint(endpoint, insecure=insecure), clean_keys(p256dh, auth)
        case _:
            raise InvalidSubscription(NOT_UNDERSTOOD)
    await rate_limits.spend(person, on="room")
    if before is not None:
        old = clean_endpoint(before, insecure=True)
        await in_database(push_subscriptions.move, person, before=old, endpoint=address, keys=keys)
        return None
    return await in_database(
        push_subscriptions.subscribe, person, address, keys, session_key=session_key, label=label, language=language
    )


async def unsubscribe(*, person: Person, id: int | None = None, endpoint: object = None) -> None:
    """Ends a subscription of the person, if it is one of theirs. Raises RateLimited or Unavailable."""
    await rate_limits.spend(person, on="room")
    if id is not None or isinstance(endpoint, str):
        await in_database(push_subscriptions.remove, person, id=id, endpoint=endpoint if id is None else None)  # type: ignore[arg-type]


async def choose(*, person: Person, **chosen: Any) -> Choice:
    """As `chat.storage.notification_choices.choose`. Raises LoginRequired, RateLimited or Unavailable."""
    await rate_limits.spend(person, on="room")
    if "detail" in chosen:
        chosen["detail"] = Detail(chosen["detail"])
    return await in_database(notification_choices.choose, person, **chosen)


async def set_push_all(room: Room, on: bool, *, person: Person) -> None:
    """Has the person's devices told of every message of the room, or no longer.

    Raises InsufficientScope, LoginRequired, Banned, NotAMember, RateLimited or Unavailable.
    """
    person.require(Scope.WRITE)
    await rate_limits.spend(person, on="room")
    await in_database(notification_choices.set_push_all, room, person, on=on)

"""The devices on which people are told, each with what to tell there."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from chat.domain.alerts import Alert
from chat.models import Detail
from chat.storage import notification_choices, push_subscriptions
from chat.storage.alerts import Candidate
from chat.storage.database import reads_long, writes
from chat.storage.push_subscriptions import Subscription


@dataclass(frozen=True, slots=True)
class Target:
    """`detail` is how much the person allows to be said, `attempts` how often this device was tried before."""

    subscription: Subscription
    alert: Alert
    detail: Detail
    attempts: int


@dataclass(frozen=True, slots=True)
class Targets:
    """`ended` has the ids of subscriptions whose login has ended: nothing is to be shown there any more."""

    reachable: list[Target]
    ended: list[int]


@reads_long
def targets(found: Mapping[Candidate, Alert]) -> Targets:
    """The devices of the candidates, for the alerts beside them."""
    person_ids = {one.person_id for one in found}
    by_person = push_subscriptions.by_person(person_ids)
    choices = notification_choices.choices(person_ids)
    targets = [
        Target(subscription, alert, choices[one.person_id].detail, one.attempts)
        for one, alert in found.items()
        for subscription in by_person.get(one.person_id, ())
        if one.subscription_id in {None, subscription.id}
    ]
    ended = {one.id for one in push_subscriptions.ended(list({target.subscription for target in targets}))}
    return Targets([target for target in targets if target.subscription.id not in ended], [*ended])


@writes
def note(*, gone: Collection[int], used: Collection[int]) -> None:
    """Forgets the subscriptions that are gone, and notes that others were used."""
    if gone:
        push_subscriptions.drop(ids=gone)
    if used:
        push_subscriptions.note_used(ids=used)

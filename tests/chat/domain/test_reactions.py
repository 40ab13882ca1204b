"""Sums of reactions, and how requests change them."""

from collections import Counter

import pytest

from chat.domain.people import Person
from chat.domain.reactions import EMOJI_PER_MESSAGE, Reaction, ReactionRequest, Tally
from chat.errors import TooManyReactions

ANN, BEN = Person(id="user-1", name="Ann"), Person(id="user-2", name="Ben")


def on(person: Person, emoji: str) -> ReactionRequest:
    return ReactionRequest(person, emoji, True)


def off(person: Person, emoji: str) -> ReactionRequest:
    return ReactionRequest(person, emoji, False)


@pytest.mark.parametrize(
    ("requests", "changes"),
    [
        ([on(ANN, "👍")], [on(ANN, "👍")]),
        ([on(ANN, "👍"), on(ANN, "👍")], [on(ANN, "👍")]),
        ([on(ANN, "👍"), off(ANN, "👍")], []),
        ([on(ANN, "👍"), off(ANN, "👍"), on(ANN, "👍")], [on(ANN, "👍")]),
        ([off(ANN, "👍")], []),
        ([on(BEN, "🎉")], []),  # Ben has reacted with it before
        ([off(BEN, "🎉")], [off(BEN, "🎉")]),
        ([off(BEN, "🎉"), on(BEN, "🎉")], []),
        ([on(ANN, "🎉"), on(BEN, "👍"), off(BEN, "🎉")], [on(ANN, "🎉"), on(BEN, "👍"), off(BEN, "🎉")]),
    ],
)
def test_changes_are_what_the_requests_come_to(requests: list, changes: list) -> None:
    tally = Tally(Counter({"🎉": 1}), {(BEN.id, "🎉")})
    for request in requests:
        tally.settle(request)
    assert tally.changes == changes


def test_emoji_past_the_limit_is_refused_until_another_is_gone() -> None:
    emoji = [chr(0x1F600 + number) for number in range(EMOJI_PER_MESSAGE)]
    tally = Tally(Counter(dict.fromkeys(emoji, 1)), {(ANN.id, emoji[0])})
    with pytest.raises(TooManyReactions):
        tally.settle(on(BEN, "👍"))
    tally.settle(on(BEN, emoji[1]))
    tally.settle(off(ANN, emoji[0]))
    tally.settle(on(BEN, "👍"))
    with pytest.raises(TooManyReactions):
        tally.settle(on(ANN, emoji[0]))
    assert tally.changes == [on(BEN, emoji[1]), off(ANN, emoji[0]), on(BEN, "👍")]


def test_reaction_survives_json_and_what_is_no_reaction_is_left_out() -> None:
    reaction = Reaction("👍", 21, (ANN, BEN))
    given = [reaction.as_json(), None, {}, {"emoji": 1, "count": 1, "people": []}, {"emoji": "👍", "count": "1"}]
    assert Reaction.all_from_json(given) == (reaction,)
    assert Reaction.all_from_json(None) == ()

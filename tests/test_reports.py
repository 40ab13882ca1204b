"""Reports to moderators at both doors, and the counts that moderators are told live."""

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import AsyncClient

from chat import models
from chat.actions.moderation import carry_out
from chat.delivery.rooms import report_counts
from chat.domain import people
from chat.domain.people import Person
from chat.domain.rooms import find
from chat.models import Role
from chat.storage import log, moderation
from chat.storage.database import in_database
from chat.storage.drafts import Draft
from mysite.graphql import schema
from tests.gqlchat.schema.test_loaders import Request
from tests.test_identity import cookies_of

ROOM, PRIVATE = find("reported"), find("members only")
AUTHOR = Person(id="guest-0123456789abcdef", name="Loud Otter 42")
REPORT = "mutation ($input: ReportMessageInput!) { it: reportMessage(input: $input) { error { code } } }"
DISMISS = "mutation ($input: DismissReportInput!) { it: dismissReport(input: $input) { error { code } } }"
REPORTS = """query ($room: String! = "reported", $first: Int! = 50, $after: String) { room(name: $room) {
    openReports
    reports(first: $first, after: $after) {
        pageInfo { hasNextPage endCursor }
        edges { node { offset reason reporter { id name } reportedAt message { message user { id } } } }
    }
} }"""


async def user(name: str) -> Any:
    return await get_user_model().objects.acreate_user(name)


async def cookies(user: Any) -> Any:
    browser = AsyncClient()
    await browser.aforce_login(user)
    return cookies_of(browser)


async def say(room: Any = ROOM) -> int:
    (entry,) = await in_database(log.append, [Draft(room=room, text="rude", person=AUTHOR, trusted=True)])
    assert isinstance(entry, log.Entry)
    return entry.event.offset or 0


@pytest.fixture
async def owner(transactional_db: None) -> Any:
    found = await user("owner")
    for room in (ROOM, PRIVATE):
        await carry_out(moderation.create, room, private=room == PRIVATE, by=people.of_user(found))
    return found


async def ask(query: str, user: Any, **variables: Any) -> Any:
    return await schema.execute(query, variables, context_value={"request": Request(user)})


async def do(mutation: str, user: Any, **given: Any) -> str | None:
    """The code of the error, if there is one."""
    result = await ask(mutation, user, input=given)
    assert not result.errors, result.errors
    error = result.data["it"]["error"]
    return error and error["code"]


async def test_report_from_either_door_is_seen_by_moderators(open_chat: Any, owner: Any) -> None:
    ann, offset = await user("ann"), await say()
    socket = await open_chat("/ws/chat/reported/")
    await socket.send_json_to({"report": offset, "reason": " so rude \r\n", "request": "r1"})
    assert await socket.frame("reported", "error") == {"kind": "reported", "target": offset, "request": "r1"}
    assert await do(REPORT, ann, roomName="reported", offset=offset) is None
    room = (await ask(REPORTS, owner)).data["room"]
    assert room["openReports"] == 1
    by_ann, by_guest = [edge["node"] for edge in room["reports"]["edges"]]
    assert (by_ann["reporter"], by_ann["reason"]) == ({"id": f"user-{ann.pk}", "name": "ann"}, "")
    assert (by_guest["offset"], by_guest["reason"]) == (offset, "so rude")
    assert by_guest["message"] == {"message": "rude", "user": {"id": AUTHOR.id}}


async def test_reports_come_page_by_page(owner: Any) -> None:
    ann = await user("ann")
    offsets = [await say() for _ in range(5)]
    for offset in offsets:
        assert await do(REPORT, ann, roomName="reported", offset=offset) is None
    found, after, more = [], None, True
    while more:
        page = (await ask(REPORTS, owner, first=2, after=after)).data["room"]["reports"]
        found += [edge["node"]["offset"] for edge in page["edges"]]
        after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
    assert found == offsets[::-1]


async def test_reports_are_null_with_an_error_for_everybody_but_moderators(owner: Any) -> None:
    ann = await user("ann")
    await do(REPORT, ann, roomName="reported", offset=await say())
    for room, code in (("reported", "not_allowed"), ("members only", "not_a_member")):
        result = await ask(REPORTS, ann, room=room)
        assert result.data == {"room": {"openReports": None, "reports": None}}
        assert {error.extensions["code"] for error in result.errors} == {code}


BAD = [
    ({"offset": 10_000}, "no_such_message"),
    ({"offset": 1}, "no_such_message"),  # a notice
    ({"offset": -1}, "invalid_position"),
    ({"reason": "x" * 501}, "invalid_reason"),
    ({"reason": "a\0b"}, "invalid_reason"),
]


@pytest.mark.parametrize(("given", "code"), [*BAD, ({"roomName": ""}, "invalid_room_name")])
async def test_bad_report_in_graphql_gets_an_error(owner: Any, given: dict[str, Any], code: str) -> None:
    assert await do(REPORT, await user("ann"), **({"roomName": "reported", "offset": await say()} | given)) == code


@pytest.mark.parametrize(
    ("given", "code"),
    [
        *BAD,
        ({"offset": "x"}, "invalid_position"),
        ({"offset": None}, "invalid_position"),
        ({"offset": 2**64}, "invalid_position"),
        ({"reason": 5}, "invalid_reason"),
        ({"reason": None}, "invalid_reason"),
        ({"reason": "\ud800"}, "invalid_reason"),
        ({"request": 5}, "invalid_frame"),
    ],
)
async def test_bad_report_in_a_frame_gets_an_error(
    open_chat: Any, owner: Any, given: dict[str, Any], code: str
) -> None:
    socket = await open_chat("/ws/chat/reported/")
    given = {"offset": await say(), "request": "r"} | given
    offset = given.pop("offset")
    await socket.send_json_to({"report": offset, **given})
    error = await socket.frame("error", "reported")
    assert error["error"]["code"] == code
    assert error.get("request") == ("r" if isinstance(given["request"], str) else None)
    assert not await in_database(models.Report.objects.exists)


async def test_stranger_reports_nothing_in_a_private_room_and_learns_nothing(owner: Any) -> None:
    ann, said = await user("ann"), await say(PRIVATE)
    for offset in (said, said + 1):
        assert await do(REPORT, ann, roomName="members only", offset=offset) == "not_a_member"
        assert await do(DISMISS, ann, roomName="members only", offset=offset) == "not_a_member"


async def test_moderator_is_told_the_count_live_and_nobody_else_is(open_chat: Any, owner: Any) -> None:
    ann, first, second = await user("ann"), await say(), await say()
    moderator = await open_chat("/ws/chat/reported/", headers=await cookies(owner))
    await moderator.send_json_to({"reports": True, "request": "q"})
    assert await moderator.frame("reports", "error") == {"kind": "reports", "open": 0, "request": "q"}
    guest = await open_chat("/ws/chat/reported/?with=edits,reactions,presence,typing,rooms")
    await guest.send_json_to({"reports": True})
    assert (await guest.frame("reports", "error"))["error"]["code"] == "not_allowed"

    for offset in (first, second):
        await do(REPORT, ann, roomName="reported", offset=offset)
    assert await moderator.frame("reports") in ({"kind": "reports", "open": 1}, {"kind": "reports", "open": 2})
    while (await in_database(report_counts.reports.counts, [ROOM], person=None))[ROOM] != 2:
        await moderator.frame("reports")
    await do(DISMISS, owner, roomName="reported", offset=first)
    while (await moderator.frame("reports"))["open"] != 1:
        pass
    await moderator.send_json_to({"delete": second})
    assert await moderator.frame("reports") == {"kind": "reports", "open": 0}
    await guest.send_json_to({"ping": 1})
    told = []
    while "pong" not in (frame := await guest.receive_json_from(timeout=5)):
        told.append(frame["kind"])
    assert set(told) <= {"deletion", "presence", "rooms"}


async def test_moderator_who_is_none_any_more_is_told_no_more(open_chat: Any, owner: Any) -> None:
    ben, ann, offset = await user("ben"), await user("ann"), await say()
    await in_database(moderation.set_role, ROOM, "ben", Role.MODERATOR, by=None)
    socket = await open_chat("/ws/chat/reported/", headers=await cookies(ben))
    await socket.send_json_to({"reports": True})
    assert (await socket.frame("reports"))["open"] == 0
    await carry_out(moderation.set_role, ROOM, "ben", Role.MEMBER, by=None)
    await do(REPORT, ann, roomName="reported", offset=offset)
    await socket.send_json_to({"reports": True})
    assert (await socket.frame("reports", "error"))["kind"] == "error"


async def test_count_is_compared_with_the_database_where_no_process_tells(
    open_chat: Any, owner: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report_counts, "COMPARE_INTERVAL", 0.05)
    offset = await say()
    moderator = await open_chat("/ws/chat/reported/", headers=await cookies(owner))
    await moderator.send_json_to({"reports": True})
    assert (await moderator.frame("reports"))["open"] == 0
    await in_database(report_counts.reports.report, ROOM, offset, "", by=people.new_guest("Q"))
    assert (await moderator.frame("reports"))["open"] == 1


async def test_nothing_is_kept_of_a_moderator_who_has_left(open_chat: Any, owner: Any, eventually: Any) -> None:
    moderator = await open_chat("/ws/chat/reported/", headers=await cookies(owner))
    for _ in range(2):
        await moderator.send_json_to({"reports": True})
        await moderator.frame("reports")
    await moderator.disconnect()
    watchers = report_counts.ReportWatchers.here()
    await eventually(lambda: not watchers._by_room and watchers._comparing is None)

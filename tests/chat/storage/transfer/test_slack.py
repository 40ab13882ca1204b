"""A Slack export becomes rooms."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from chat import models
from chat.domain.events import Event
from chat.domain.rooms import find
from chat.storage import history, quotes
from chat.storage.transfer.slack import archive
from chat.storage.transfer.slack.emoji_names import emoji_called
from chat.storage.transfer.slack.mrkdwn import convert

pytestmark = pytest.mark.django_db

USERS = [
    {"id": "U1", "name": "ann", "profile": {"display_name": "Ann", "email": "Ann@example.org"}},
    {"id": "U2", "name": "ben", "real_name": "Ben B.", "profile": {"display_name": "", "email": "ben@example.org"}},
    {"id": "U3", "name": "gone", "deleted": True, "profile": {}},
    {"id": "U4", "name": "a\nb"},
    {"name": "no id"},
    "no user",
]
FIRST_DAY: list[Any] = [
    {"type": "message", "subtype": "channel_join", "user": "U1", "ts": "1512085000.000001", "text": "<@U1> has joined"},
    {
        "type": "message",
        "user": "U1",
        "ts": "1512085950.000216",
        "text": "Hello <@U2>, see <https://example.org/a?b=1&amp;c=2|the page> in <#C2|random>: *bold* ~not~ &lt;b&gt;",
        "edited": {"user": "U1", "ts": "1512086000.000000"},
        "reactions": [
            {"name": "+1::skin-tone-4", "users": ["U1", "U2"], "count": 2},
            {"name": "partyparrot", "users": ["U2"], "count": 1},
            {"name": "tada", "users": ["U3"], "count": 1},
        ],
        "thread_ts": "1512085950.000216",
        "replies": [{"user": "U2", "ts": "1512172800.000100"}],
    },
    {"type": "message", "subtype": "bot_message", "username": "deploys", "bot_id": "B1", "ts": "1512086100.000000",
     "text": "", "attachments": [{"fallback": "Deployed", "text": "Deployed `*v1*`"}]},
    {"type": "message", "user": "U3", "ts": "1512086200.000000", "text": "", "files": [{"name": "plan.pdf"}]},
    {"type": "message", "user": "U1", "ts": "1512086300.000000", "text": ""},
    {"type": "message", "subtype": "tombstone", "user": "USLACKBOT", "ts": "1512086400.000000", "text": "gone"},
    {"type": "message", "user": "U1", "ts": "tomorrow", "text": "when?"},
    7,
]  # fmt: skip
SECOND_DAY = [
    {"type": "message", "user": "U2", "ts": "1512172800.000100", "thread_ts": "1512085950.000216", "text": "Hi!"},
    {"type": "message", "user": "U2", "ts": "1512172800.000100", "subtype": "thread_broadcast", "text": "Hi!"},
]


def slack_export(path: Path, **files: object) -> Path:
    """Writes an export, with `files` instead of its own, or beside them; None leaves one out."""
    content: dict[str, object] = {
        "users.json": USERS,
        "channels.json": [
            {"id": "C1", "name": "general", "creator": "U1", "members": ["U1", "U2", "U3"]},
            {"id": "C2", "name": "empty", "members": []},
        ],
        "groups.json": [{"id": "G1", "name": "secret", "members": ["U1"]}],
        "dms.json": [{"id": "D1", "members": ["U1", "U2"]}],
        "mpims.json": [],
        "general/2017-12-01.json": FIRST_DAY,
        "general/2017-12-02.json": SECOND_DAY,
        "secret/2017-12-01.json": [{"user": "U1", "ts": "1512085950.000000", "text": "shh"}],
        "D1/2017-12-01.json": [{"user": "U1", "ts": "1512085950.000000", "text": "between us"}],
        "../../etc/2017-12-01.json": "outside",
        **files,
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, value in content.items():
            if value is not None:
                file.writestr(name, value if isinstance(value, (str, bytes)) else json.dumps(value))
    return path


def run(*arguments: object) -> str:
    out = io.StringIO()
    call_command("import_slack", *map(str, arguments), stdout=out, stderr=out)
    return out.getvalue()


def entries(room: str) -> list[Event]:
    rows = models.Message.objects.filter(room__name=room).order_by("offset")
    return quotes.with_quotes([history.as_event(row, find(room)) for row in rows])


def test_channels_become_rooms(tmp_path: Path) -> None:
    out = run(slack_export(tmp_path / "slack.zip"))
    assert out.splitlines() == [
        "Imported 8 entries into “general”.",
        "Imported 0 entries into “empty”.",
        "Imported 1 entries into “secret”.",
        "Imported 1 entries into “Ann, Ben B.”.",
        "Left out: 1 notices, such as who joined.",
        "Left out: 1 reactions with emoji that aren’t known here.",
        "Left out: 1 files that aren’t in the ZIP file: only their names are taken over.",
        "Left out: 1 messages without a text.",
        "Left out: 1 messages without a time.",
    ]
    rooms = {room.name: (room.is_private, room.last_offset) for room in models.Room.objects.all()}
    assert rooms == {"general": (False, 8), "empty": (False, 0), "secret": (True, 1), "Ann, Ben B.": (True, 1)}
    hello, edit, reaction, bot, plan, gone, deletion, reply = entries("general")
    assert (
        hello.message == "Hello @Ben B., see the page (https://example.org/a?b=1&c=2) in #random: **bold** ~~not~~ <b>"
    )
    assert (hello.person.name, str(hello.sent_at)) == ("Ann", "2017-11-30 23:52:30.000216+00:00")
    assert str(hello.edited_at) == str(edit.sent_at) == "2017-11-30 23:53:20+00:00"
    assert [(one.emoji, one.count) for one in hello.reactions] == [("👍🏽", 2), ("🎉", 1)]
    assert hello.reactions == reaction.reactions
    assert [person.name for person in hello.mentions] == ["Ben B."]
    assert (bot.person.name, bot.message) == ("deploys", "Deployed `*v1*`")
    assert (plan.person.name, plan.message) == ("gone", "📎 plan.pdf")
    assert (gone.deleted, gone.message, deletion.target) == (True, "", gone.offset)
    assert (reply.message, reply.reply_to.offset, reply.reply_to.person.name) == ("Hi!", hello.offset, "Ann")
    assert all(event.person is None or event.person.id.startswith("import-") for event in entries("general"))
    assert not models.RoomMember.objects.exists()
    assert models.MessageReaction.objects.count() == 3


def test_import_that_is_run_again_changes_nothing(tmp_path: Path) -> None:
    path = slack_export(tmp_path / "slack.zip")
    run(path)
    before = list(models.Message.objects.order_by("pk").values())
    assert run(path).startswith("“general” is there already, with these entries.\n")
    assert list(models.Message.objects.order_by("pk").values()) == before


def test_broken_off_import_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chat.storage.transfer.room_import.BATCH_SIZE", 3)
    path = slack_export(tmp_path / "slack.zip")
    monkeypatch.setattr("chat.management.progress_bar.ProgressBar.__call__", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run(path)
    monkeypatch.undo()
    assert run(path).startswith("Imported 5 entries into “general”.\n")
    assert len(entries("general")) == 8


def test_people_with_the_same_address_are_taken_for_the_same_if_the_operator_says_so(tmp_path: Path) -> None:
    ann = User.objects.create_user("annie", email="ann@example.org")
    User.objects.create_user("ben1", email="ben@example.org")
    User.objects.create_user("ben2", email="BEN@example.org")  # which of them?
    run(slack_export(tmp_path / "slack.zip"), "--people", "emails", "--prefix", "slack ")
    assert {event.person.name: event.person.id for event in entries("slack general") if event.person}[
        "Ann"
    ] == f"user-{ann.pk}"
    assert list(
        models.RoomMember.objects.order_by("room__name").values_list("room__name", "user__username", "role")
    ) == [
        ("slack Ann, Ben B.", "annie", "member"),
        ("slack general", "annie", "owner"),
        ("slack secret", "annie", "member"),
    ]


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        ({"users.json": None}, "no users.json"),
        (dict.fromkeys(archive.LISTS), "no channels.json"),
        ({"users.json": "{}"}, "users.json is no list"),
        ({"users.json": "[" * 100_000}, "users.json can’t be read"),
        ({"channels.json": "[1, 2"}, "channels.json can’t be read"),
        ({"channels.json": b"\xff\xfe\xfd"}, "channels.json can’t be read"),
        ({"general/2017-12-02.json": "nonsense"}, "general/2017-12-02.json can’t be read"),
        ({"general/2017-12-02.json": " " * (archive.JSON_MAX + 1)}, "has more than 100,000,000 bytes"),
        ({"channels.json": [{"id": "C1", "name": ".."}]}, "can’t be called"),
    ],
)
def test_what_is_no_export_of_slack_is_refused(tmp_path: Path, files: dict[str, object], problem: str) -> None:
    with pytest.raises(CommandError, match=problem):
        run(slack_export(tmp_path / "slack.zip", **files))
    assert not models.Message.objects.exists()


@pytest.mark.parametrize(
    "message",
    [
        {"user": None, "text": None},
        {"user": 7, "text": ["x"]},
        {"user": "U9" * 100, "text": "x"},
        {"user": "U1", "text": "a\0b \ud800 c"},
        {"user": "U1", "text": "x" * 100_000},
        {"user": "U1", "text": "x", "subtype": {"a": 1}},
        {"user": "U1", "text": "x", "reactions": 7},
        {"user": "U1", "text": "x", "reactions": [7, {"name": 7}, {"name": "tada", "users": [7, "U1", "U1"]}]},
        {"user": "U1", "text": "x", "edited": "yes"},
        {"user": "U1", "text": "x", "edited": {"ts": "99999999999.000000"}},
        {"user": "U1", "text": "x", "files": [7, {"name": None}], "attachments": 7},
        {"user": "U1", "text": "", "attachments": [7, {"text": 7}]},
        {"user": "U1", "text": "x", "thread_ts": {"a": 1}},
        {"user": "U1", "text": "<@U1|" * 1000},
        {"username": "a\nb" * 100, "subtype": "bot_message", "text": "<>"},
    ],
)
def test_odd_messages_are_taken_or_left_out(tmp_path: Path, message: dict[str, Any]) -> None:
    day = [{"ts": "1512085950.000000", **message}, {"ts": "1512085951.000000", "user": "U1", "text": "after it"}]
    out = run(slack_export(tmp_path / "slack.zip", **{"general/2017-12-01.json": day, "general/2017-12-02.json": None}))
    assert "into “general”" in out
    assert entries("general")[-1].message == "after it"


@pytest.mark.parametrize(
    ("text", "converted"),
    [
        ("plain", "plain"),
        ("*a* and *b c*", "**a** and **b c**"),
        ("2*3*4 * 5", "2*3*4 * 5"),
        ("_i_ ~s~ `*c*`", "_i_ ~~s~~ `*c*`"),
        ("```\n*x* <https://a.example>\n```", "```\n*x* https://a.example\n```"),
        ("&gt; quoted &amp;amp;", "> quoted &amp;"),
        ("<https://a.example>", "https://a.example"),
        ("<https://a.example|a.example>", "https://a.example"),
        ("<mailto:a@b.example|a@b.example>", "a@b.example"),
        ("<@U1> <@U9|who> <@U8>", "@Ann @who @U8"),
        ("<!here> <!channel|@channel> <!subteam^S1|@team> <!date^1^{date}|May 1>", "@here @channel @team May 1"),
        ("<#C1|general> <#C2>", "#general #C2"),
        ("&lt;script&gt;", "<script>"),
        ("a < b > c", "a < b > c"),
    ],
)
def test_markup(text: str, converted: str) -> None:
    assert convert(text, {"U1": "Ann"}).text == converted


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("+1", "👍"),
        ("thumbsup::skin-tone-2", "👍🏻"),
        ("heart", "❤️"),
        ("man-shrugging", "🤷‍♂️"),
        ("flag-de", "🇩🇪"),
        ("simple_smile", "🙂"),
        ("tada::skin-tone-3", "🎉"),
        ("partyparrot", None),
        ("", None),
        ("a:b", None),
        ("x" * 1000, None),
    ],
)
def test_emoji(name: str, expected: str | None) -> None:
    assert emoji_called(name) == expected

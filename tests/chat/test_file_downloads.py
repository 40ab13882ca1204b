"""Downloads: parts of files, what stands for them in caches, and what browsers may do with them."""

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from chat import models
from chat.actions import posting
from chat.actions.moderation import carry_out
from chat.domain.rooms import Room
from chat.models import Role
from chat.storage import moderation, pruning
from chat.storage.database import in_database
from tests.test_private_rooms import Visitor, guest, user
from tests.uploads import ask, clean_up, upload

pytestmark = pytest.mark.django_db(transaction=True)
ROOM = Room("room1")
CONTENT = bytes(range(100))


@pytest.fixture
async def ann() -> Visitor:
    return await guest()


@pytest.mark.parametrize(
    ("given", "status", "expected", "content_range"),
    [
        ("bytes=0-9", 206, CONTENT[:10], "bytes 0-9/100"),
        ("bytes=90-", 206, CONTENT[90:], "bytes 90-99/100"),
        ("bytes=-5", 206, CONTENT[95:], "bytes 95-99/100"),
        ("bytes=-500", 206, CONTENT, "bytes 0-99/100"),
        ("bytes=0-0", 206, CONTENT[:1], "bytes 0-0/100"),
        ("bytes=99-99", 206, CONTENT[99:], "bytes 99-99/100"),
        ("bytes=50-5000", 206, CONTENT[50:], "bytes 50-99/100"),
        ("Bytes = 0 - 1", 206, CONTENT[:2], "bytes 0-1/100"),
        ("bytes=100-", 416, b"", "bytes */100"),
        ("bytes=100-200", 416, b"", "bytes */100"),
        ("bytes=-0", 416, b"", "bytes */100"),
        ("bytes=9-0", 200, CONTENT, None),
        ("bytes=0-1,5-6", 200, CONTENT, None),
        ("bytes=", 200, CONTENT, None),
        ("bytes=-", 200, CONTENT, None),
        ("bytes=a-b", 200, CONTENT, None),
        ("bytes=0x1-2", 200, CONTENT, None),
        ("bytes=-1-2", 200, CONTENT, None),
        (f"bytes={'9' * 30}-", 200, CONTENT, None),
        ("lines=0-9", 200, CONTENT, None),
        ("", 200, CONTENT, None),
    ],
)
async def test_range_gives_the_part_that_is_asked_for(
    ann: Visitor, given: str, status: int, expected: bytes, content_range: str | None
) -> None:
    file = await upload(ann, CONTENT)
    answer = await ask("GET", file["url"], ann, {"range": given})
    assert (answer.status, answer.body) == (status, expected)
    assert answer.headers.get("content-range") == content_range
    assert answer.headers["content-length"] == str(len(expected))
    assert answer.headers["accept-ranges"] == "bytes"


async def test_range_holds_only_for_the_file_that_the_client_has_begun(ann: Visitor) -> None:
    file = await upload(ann, CONTENT)
    tag = (await ask("GET", file["url"], ann)).headers["etag"]
    same = await ask("GET", file["url"], ann, {"range": "bytes=0-9", "if-range": tag})
    other = await ask("GET", file["url"], ann, {"range": "bytes=0-9", "if-range": '"other"'})
    dated = await ask("GET", file["url"], ann, {"range": "bytes=0-9", "if-range": "Fri, 27 Nov 2026 20:00:00 GMT"})
    assert [same.status, other.status, dated.status] == [206, 200, 200]


@pytest.mark.parametrize("condition", ["{tag}", "W/{tag}", '"x", {tag}', "*"])
async def test_client_that_has_the_file_is_sent_nothing(ann: Visitor, condition: str) -> None:
    file = await upload(ann, CONTENT)
    tag = (await ask("GET", file["url"], ann)).headers["etag"]
    answer = await ask("GET", file["url"], ann, {"if-none-match": condition.format(tag=tag)})
    assert (answer.status, answer.body) == (304, b"")
    assert answer.headers["cache-control"] == "private, no-cache"


async def test_head_has_the_length_and_nothing_else(ann: Visitor) -> None:
    file = await upload(ann, CONTENT)
    answer = await ask("HEAD", file["url"], ann, {"range": "bytes=0-9"})
    assert (answer.status, answer.headers["content-length"], answer.body) == (200, "100", b"")


async def test_other_methods_are_refused(ann: Visitor) -> None:
    file = await upload(ann, CONTENT)
    answer = await ask("DELETE", file["url"], ann)
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize(
    ("name", "disposition"),
    [
        ("a.txt", 'attachment; filename="a.txt"'),
        ('a"b.txt', 'attachment; filename="a\\"b.txt"'),
        ("über.txt", "attachment; filename*=utf-8''%C3%BCber.txt"),
        ("a%0d%0ab.txt", 'attachment; filename="a%0d%0ab.txt"'),
    ],
)
async def test_name_stands_in_a_header_of_its_own_whatever_it_has(ann: Visitor, name: str, disposition: str) -> None:
    file = await upload(ann, CONTENT)
    await models.Attachment.objects.filter(id=file["id"]).aupdate(name=name)
    answer = await ask("GET", file["url"], ann)
    assert answer.headers["content-disposition"] == disposition


async def attach(visitor: Visitor, file: dict, room: Room = ROOM) -> int:
    entry = await posting.post(room=room, message="", person=visitor.person, attachments=[file["id"]])
    assert entry.event.offset is not None
    return entry.event.offset


async def test_file_without_a_message_is_its_uploader_s_alone(ann: Visitor) -> None:
    file = await upload(ann, CONTENT)
    other = await guest()
    assert (await ask("GET", file["url"], ann)).status == 200
    answer = await ask("GET", file["url"], other)
    assert (answer.status, answer.json["error"]) == (404, "no_such_file")
    await attach(ann, file)
    assert (await ask("GET", file["url"], other)).status == 200
    assert (await ask("GET", file["url"], None)).status == 200


@pytest.mark.parametrize("path", ["/chat/room2/files/{id}/a.txt", "/chat/room1/files/{id}/preview"])
async def test_file_is_at_its_own_address_only(ann: Visitor, path: str) -> None:
    file = await upload(ann, CONTENT)
    await attach(ann, file)
    answer = await ask("GET", path.format(id=file["id"]), ann)
    assert (answer.status, answer.json["error"]) == (404, "no_such_file")


async def test_file_of_a_private_room_is_for_members_for_as_long_as_they_are(ann: Visitor) -> None:
    owner, member = await user("owner"), await user("member")
    await carry_out(moderation.create, ROOM, private=True, by=owner.person)
    file = await upload(owner, CONTENT)
    await attach(owner, file)
    for stranger in (ann, member, None):
        answer = await ask("GET", file["url"], stranger)
        assert (answer.status, answer.json["error"]) == (403, "not_a_member")
        missing = await ask("GET", file["url"].replace(file["id"], "0" * 32), stranger)
        assert missing.json["error"] == "not_a_member"  # they aren't told which files there are
    await carry_out(moderation.set_role, ROOM, "member", Role.MEMBER, by=owner.person)
    answer = await ask("GET", file["url"], member)
    assert (answer.status, answer.body) == (200, CONTENT)
    await carry_out(moderation.remove_member, ROOM, "member", by=owner.person)
    answer = await ask("GET", file["url"], member, {"if-none-match": answer.headers["etag"]})
    assert (answer.status, answer.json["error"]) == (403, "not_a_member")


@pytest.mark.parametrize(("language", "words"), [("en", "There is no such file"), ("de", "Diese Datei gibt es")])
async def test_browser_that_is_led_to_no_file_gets_a_page(ann: Visitor, language: str, words: str) -> None:
    headers = {"accept": "text/html,image/webp,*/*;q=0.8", "accept-language": language}
    answer = await ask("GET", f"/chat/room1/files/{'0' * 32}/a.txt", ann, headers)
    assert (answer.status, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
    page = answer.body.decode()
    assert f'<html lang="{language}">' in page
    assert words in page


async def test_banned_person_gets_no_file_not_even_their_own(ann: Visitor) -> None:
    file = await upload(ann, CONTENT)
    await attach(ann, file)
    await carry_out(moderation.ban, ROOM, ann.person.id, by=None)
    assert (await ask("GET", file["url"], ann)).json["error"] == "banned"


async def test_guests_get_no_file_where_none_are_taken(ann: Visitor, settings: Settings) -> None:
    file = await upload(ann, CONTENT)
    await attach(ann, file)
    settings.CHAT_GUESTS = False
    answer = await ask("GET", file["url"], ann)
    assert (answer.status, answer.json["error"]) == (403, "login_required")


async def test_file_is_gone_with_its_message(ann: Visitor) -> None:
    file = await upload(ann, CONTENT)
    offset = await attach(ann, file)
    await carry_out(moderation.delete_message, ROOM, offset, by=ann.person)
    assert (await ask("GET", file["url"], ann)).status == 404


async def test_file_is_gone_when_an_older_instance_deletes_or_prunes_its_message(ann: Visitor) -> None:
    deleted, pruned, kept = [await upload(ann, CONTENT) for _ in range(3)]
    offsets = [await attach(ann, file) for file in (pruned, deleted, kept)]
    await models.Message.objects.filter(offset=offsets[0]).adelete()
    await models.Message.objects.filter(offset=offsets[1]).aupdate(deletion=9, text="")
    statuses = [(await ask("GET", file["url"], ann)).status for file in (deleted, pruned, kept)]
    assert statuses == [404, 404, 200]
    assert await clean_up() == 2
    assert [row.id.hex async for row in models.Attachment.objects.all()] == [kept["id"]]


async def test_file_is_gone_with_its_room(ann: Visitor) -> None:
    file = await upload(ann, CONTENT)
    await attach(ann, file)
    await models.Room.objects.filter(name="room1").adelete()
    assert (await ask("GET", file["url"], ann)).status == 404
    assert await clean_up() == 1


async def test_file_is_gone_when_its_message_is_pruned(ann: Visitor) -> None:
    old, new = await upload(ann, CONTENT), await upload(ann, CONTENT)
    await attach(ann, old)
    await attach(ann, new)
    await in_database(pruning.prune, keep=1)
    assert (await ask("GET", old["url"], ann)).status == 404
    assert await clean_up() == 1
    assert (await ask("GET", new["url"], ann)).status == 200


async def test_file_that_no_message_has_goes_after_a_day(ann: Visitor) -> None:
    old, young, attached = [await upload(ann, CONTENT) for _ in range(3)]
    await attach(ann, attached)
    long_ago = timezone.now() - timedelta(hours=25)
    assert await clean_up() == 0
    await models.Attachment.objects.exclude(id=young["id"]).aupdate(created_at=long_ago)
    assert await clean_up() == 1
    assert (await ask("GET", old["url"], ann)).status == 404
    assert (await ask("GET", young["url"], ann)).status == 200
    assert (await ask("GET", attached["url"], ann)).status == 200


async def test_nginx_is_told_where_the_file_is(ann: Visitor, settings: Settings) -> None:
    file = await upload(ann, CONTENT)
    settings.CHAT_FILES_ACCEL = "/_files/"
    answer = await ask("GET", file["url"], ann)
    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["x-accel-redirect"] == f"/_files/{file['id'][:2]}/{file['id']}"
    assert (await ask("GET", file["url"], await guest())).status == 404

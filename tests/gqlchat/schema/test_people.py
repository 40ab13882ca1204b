"""Profiles in GraphQL: who somebody is, and changing one's own."""

from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import User

from chat.actions import posting
from chat.domain import people
from chat.domain.profiles import ProfileChange
from chat.domain.rooms import find
from chat.storage import accounts, avatars, log, profiles
from chat.storage.database import in_database
from chat.storage.drafts import Draft
from mysite.graphql import schema
from tests.gqlchat.schema.test_loaders import Request

PERSON = "query ($username: String, $id: ID) { person(username: $username, id: $id) { %s } }"
FIELDS = "id name username displayName about timeZone isGuest"
UPDATE = """mutation ($input: UpdateProfileInput!) {
    updateProfile(input: $input) { person { name displayName about timeZone } error { code } }
}"""


@pytest.fixture(autouse=True)
async def ann(transactional_db: None) -> User:
    def make() -> User:
        user = User.objects.create_user("ann")
        told = ProfileChange.clean(display_name="Ann Hunt", about="she/her", time_zone="Asia/Kolkata")
        profiles.update(people.of_user(user), told)
        User.objects.create_user("gone", is_active=False)
        return accounts.users().get(pk=user.pk)

    return await in_database(make)


async def execute(query: str, user: User | None = None, **variables: Any) -> Any:
    result = await schema.execute(query, variables, context_value={"request": Request(user)} if user else None)
    assert not result.errors
    (found,) = result.data.values()
    return found


async def test_person_is_found_by_username_and_by_id(ann: User) -> None:
    told = {
        "id": f"user-{ann.pk}",
        "name": "Ann Hunt",
        "username": "ann",
        "displayName": "Ann Hunt",
        "about": "she/her",
        "timeZone": "Asia/Kolkata",
        "isGuest": False,
    }
    for given in ({"username": "ann"}, {"id": f"user-{ann.pk}"}):
        assert await execute(PERSON % FIELDS, **given) == told
    assert await execute(f"{{ me {{ {FIELDS} }} }}", ann) == told


@pytest.mark.parametrize(
    "given",
    [{"username": name} for name in ("ANN", "", "gone", "a\0", "\ud800", "Ann Hunt")]
    + [{"id": id} for id in ("", "user-0", "user-x", "guest-0123456789abcdef", "room", "\0", "user-" + "9" * 18)],
)
async def test_person_is_null_for_those_who_have_no_profile(given: dict[str, str]) -> None:
    assert await execute(PERSON % FIELDS, **given) is None


async def test_person_without_a_name_or_an_id_is_an_error() -> None:
    result = await schema.execute("{ person { id } }")
    assert result.errors[0].extensions["code"] == "no_such_person"


async def test_guest_has_a_name_and_no_profile() -> None:
    me = await execute("{ me { isGuest username displayName about timeZone } }")
    assert me == {"isGuest": True, "username": None, "displayName": None, "about": None, "timeZone": None}


async def test_update_profile_changes_what_is_given(ann: User) -> None:
    told = await execute(UPDATE, ann, input={"about": "", "timeZone": "UTC"})
    assert told == {
        "person": {"name": "Ann Hunt", "displayName": "Ann Hunt", "about": None, "timeZone": "UTC"},
        "error": None,
    }
    assert (await execute(UPDATE, ann, input={"displayName": ""}))["person"]["name"] == "ann"


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"displayName": "ben"}, "name_taken"),
        ({"displayName": "BEN"}, "name_taken"),
        ({"displayName": "You"}, "invalid_name"),
        ({"displayName": "here"}, "invalid_name"),
        ({"displayName": "@ann"}, "invalid_name"),
        ({"displayName": "x" * 41}, "invalid_name"),
        ({"displayName": "\ud800"}, "invalid_name"),
        ({"about": "x" * 161}, "invalid_profile"),
        ({"about": "a\0"}, "invalid_profile"),
        ({"timeZone": "Berlin"}, "invalid_profile"),
        ({"displayName": "Fine", "timeZone": "../../etc/passwd"}, "invalid_profile"),
    ],
)
async def test_update_profile_says_what_is_wrong_and_changes_nothing(
    ann: User, given: dict[str, str], code: str
) -> None:
    await in_database(User.objects.create_user, "ben")
    assert await execute(UPDATE, ann, input=given) == {"person": None, "error": {"code": code}}
    assert (await execute(PERSON % "name timeZone", username="ann")) == {"name": "Ann Hunt", "timeZone": "Asia/Kolkata"}


async def test_update_profile_is_for_users() -> None:
    assert (await execute(UPDATE, input={"about": "x"}))["error"] == {"code": "login_required"}


@pytest.mark.parametrize("messages", [2, 40])
async def test_profiles_of_a_page_are_read_in_one_query(
    ann: User, messages: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def say() -> None:
        for number in range(messages):
            user = User.objects.create_user(f"user{number}")
            log.append([Draft(room=find("room1"), text="hi", person=people.of_user(user))])

    reads = []
    by_ids = profiles.by_ids
    monkeypatch.setattr(profiles, "by_ids", lambda ids: reads.append(ids) or by_ids(ids))
    await in_database(say)
    query = """{ room(name: "room1") { messages { edges { node { user { username displayName about } } } } } }"""
    found = await execute(query, ann)
    assert [edge["node"]["user"]["username"] for edge in found["messages"]["edges"]] == [
        f"user{number}" for number in range(messages)
    ]
    assert [len(ids) for ids in reads] == [messages]


@pytest.mark.parametrize(
    ("field", "told", "reads"), [("username", "ann", 0), ("displayName", "Ann Hunt", 1), ("about", "she/her", 1)]
)
async def test_shared_subscription_has_profiles_which_are_read_once_for_all(
    ann: User, open_graphql: Any, monkeypatch: pytest.MonkeyPatch, field: str, told: str, reads: int
) -> None:
    asked = []
    by_ids = profiles.by_ids
    monkeypatch.setattr(profiles, "by_ids", lambda ids: asked.append(ids) or by_ids(ids))
    query = 'subscription { joinChatRooms(rooms: [{roomName: "room1"}], user: "foo") { message user { name FIELD } } }'
    sockets = [await open_graphql("graphql-transport-ws") for _ in range(3)]
    for socket in sockets:
        await socket.start(query.replace("FIELD", field))
        await socket.result()  # its greeting
    asked.clear()
    await posting.post(room=find("room1"), message="hi", person=people.of_user(ann))
    for socket in sockets:
        while (heard := (await socket.result())["data"]["joinChatRooms"])["message"] != "hi":
            pass
        assert heard == {"message": "hi", "user": {"name": "Ann Hunt", field: told}}
    assert len(asked) == reads


async def test_avatar_of_a_person_is_where_the_picture_is(ann: User) -> None:
    find = "query ($id: ID!) { person(id: $id) { avatar } }"
    id = people.of_user(ann).id
    assert await execute(find, id=id) == {"avatar": None}
    avatar = UUID("1f0c22ab0000400080000000000000ff")
    await in_database(avatars.change, people.of_user(ann), avatar)
    assert await execute(find, id=id) == {"avatar": f"/people/id/{id}/avatar?v=1f0c22ab"}

"""The pages of people: a user's profile, and changing one's own."""

from urllib.parse import quote

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries, Settings

from chat.domain import people
from chat.domain.profiles import ProfileChange
from chat.domain.rooms import find
from chat.models import Profile
from chat.storage import accounts, moderation, profiles, readings
from chat.storage.readings import Mark
from tests.chat.test_views import room_data
from tests.logged_in import client_of

pytestmark = pytest.mark.django_db
EDIT = reverse("edit_profile")


@pytest.fixture
def ann() -> User:
    user = User.objects.create_user("ann")
    told = ProfileChange.clean(display_name="Ann Hunt", about="she/her", time_zone="Asia/Kolkata")
    profiles.update(people.of_user(user), told)
    return user


@pytest.fixture
def ben() -> User:
    return User.objects.create_user("ben")


def test_profile_tells_what_a_user_tells(ann: User, ben: User) -> None:
    page = client_of(ben).get("/people/ann/").content.decode()
    for told in ("<bdi>Ann Hunt</bdi>", "@ann", "she/her", " for them", "Asia/Kolkata", "Message directly"):
        assert told in page
    assert "Change your profile" not in page


def test_profile_of_a_user_who_tells_nothing_has_their_username_once(ben: User) -> None:
    page = Client().get("/people/ben/").content.decode()
    assert "<bdi>ben</bdi>" in page
    assert "@ben" not in page
    assert " for them" not in page


def test_guests_see_profiles_and_write_to_nobody(ann: User) -> None:
    page = Client().get("/people/ann/")
    assert page.status_code == 200
    assert "Message directly" not in page.content.decode()


def test_own_profile_leads_to_changing_it(ann: User) -> None:
    page = client_of(ann).get("/people/ann/").content.decode()
    assert f'href="{EDIT}"' in page
    assert "Message directly" not in page
    assert "Rooms in common" not in page


@pytest.mark.parametrize(
    "path",
    ["nobody", "ANN", "", "gone", "ann%00", "%C3%A9", "a/b", "id", "id/user-0", "id/user-999999999999999999"]
    + ["id/guest-0123456789abcdef", "id/room", "id/%00", "x" * 500],
)
def test_people_who_are_unknown_or_inactive_have_no_page(ann: User, path: str) -> None:
    User.objects.create_user("gone", is_active=False)
    answer = Client().get(f"/people/{path}/")
    assert answer.status_code == 404
    assert "There is no page at this address." in answer.content.decode()


def test_profile_of_an_inactive_user_is_gone_by_id_too(ann: User) -> None:
    User.objects.update(is_active=False)
    assert Client().get(f"/people/id/user-{ann.pk}/").status_code == 404


@pytest.mark.parametrize(
    "username", ["ann.b", "a+b@c-d_e", "北京", "Zoé", "ann b", "50%", "a/b", "id", "edit", "a?b#c"]
)
def test_id_leads_to_the_page_by_the_username(username: str) -> None:
    user = User.objects.create_user(username)
    answer = Client().get(f"/people/id/user-{user.pk}/")
    assert answer.status_code == 302
    page = Client().get(answer["Location"])
    assert page.context["profile"].person.username == username
    assert Client().get(f"/people/{quote(username, safe='')}/").status_code == 200


@pytest.mark.parametrize("username", [".", "..", "a/../b"])
def test_id_shows_the_page_where_no_address_has_the_username(username: str) -> None:
    user = User.objects.create_user(username)
    page = Client().get(f"/people/id/user-{user.pk}/")
    assert page.status_code == 200
    assert page.context["profile"].person.username == username


def test_site_without_guests_shows_profiles_to_users_alone(ann: User, ben: User, settings: Settings) -> None:
    settings.CHAT_GUESTS = False
    for path in ("/people/ann/", f"/people/id/user-{ann.pk}/"):
        assert Client().get(path)["Location"] == f"/accounts/login/?next={path}"
    assert client_of(ben).get("/people/ann/").status_code == 200


def test_profile_names_rooms_in_common_and_no_others(ann: User, ben: User) -> None:
    secret = find("secret")
    moderation.create(secret, private=True, by=people.of_user(ann))
    for user in (ann, ben):
        readings.enter([Mark(find("lobby"), people.of_user(user))])
    readings.enter([Mark(find("hers"), people.of_user(ann))])
    page = client_of(ben).get("/people/ann/")
    assert [own.room.name for own in page.context["rooms"]] == ["lobby"]
    assert "secret" not in page.content.decode()


def test_profile_takes_as_many_queries_however_many_rooms(
    ann: User, ben: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(30):
        for user in (ann, ben):
            readings.enter([Mark(find(f"room {number}"), people.of_user(user))])
    client = client_of(ben)
    with django_assert_max_num_queries(8):
        client.get("/people/ann/")


# Changing one's own


def test_changing_a_profile_without_scripts_leads_to_it(ben: User) -> None:
    client = client_of(ben)
    form = {"display_name": " Ben B. ", "about": "he/him", "time_zone": "Europe/Berlin"}
    answer = client.post(EDIT, form, follow=True)
    assert answer.redirect_chain[-1][0] == "/people/ben/"
    assert "Ben B." in answer.content.decode()
    assert room_data(client)["person"]["name"] == "Ben B."
    assert client.get("/accounts/me/").json()["name"] == "Ben B."
    page = client.get(EDIT).content.decode()
    for given in ("Ben B.", "he/him", '<option value="Europe/Berlin" selected>'):
        assert given in page


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"display_name": "ANN"}, "display_name"),
        ({"display_name": "Ann Hunt\ufe0f"}, "display_name"),
        ({"display_name": "room"}, "display_name"),
        ({"display_name": "@ben"}, "display_name"),
        ({"display_name": "x" * 41}, "display_name"),
        ({"display_name": "a\0b"}, "display_name"),
        ({"about": "x" * 161}, "about"),
        ({"about": "a\nb"}, "__all__"),
        ({"time_zone": "Berlin"}, "time_zone"),
        ({"time_zone": "\0"}, "time_zone"),
    ],
)
def test_page_says_what_is_wrong_and_changes_nothing(ann: User, ben: User, given: dict[str, str], field: str) -> None:
    answer = client_of(ben).post(EDIT, given)
    assert answer.status_code == 200
    assert answer.context["form"].errors[field]
    assert not Profile.objects.filter(user=ben).exists()


def test_guests_log_in_first() -> None:
    assert Client().get(EDIT)["Location"] == f"/accounts/login/?next={EDIT}"
    assert Client().post(EDIT, {"about": "x"})["Location"] == f"/accounts/login/?next={EDIT}"


def test_members_are_managed_by_their_usernames_and_shown_with_both_names(ann: User, ben: User) -> None:
    room = find("club")
    moderation.create(room, private=True, by=people.of_user(ben))
    client = client_of(ben)
    client.post(room.get_members_url(), {"do": "set_role", "username": "ann", "role": "member"})
    page = client.get(room.get_members_url()).content.decode()
    assert "Ann Hunt" in page
    assert "@ann" in page
    assert '<input type="hidden" name="username" value="ann">' in page
    leaving = client_of(ann).post(room.get_members_url(), {"do": "remove", "username": "ann"})
    assert leaving["Location"] == room.get_absolute_url()
    assert "Ann Hunt left" in room_data(client, "club")["history"]["messages"][-1]["message"]


def test_direct_room_is_shown_by_display_names_and_opened_by_usernames(ann: User, ben: User) -> None:
    client = client_of(ben)
    url = client.post(reverse("room_direct"), {"usernames": "ann"})["Location"]
    assert client.get(url).context["display_name"] == "Ann Hunt"


def test_staff_takes_back_what_nobody_should_read(ann: User, ben: User, admin_client: Client) -> None:
    url = f"/admin/chat/profile/{ann.pk}/change/"
    assert admin_client.post(url, {"display_name": "", "about": "", "time_zone": "UTC"}).status_code == 302
    assert profiles.by_username("ann").person.name == "ann"
    assert not accounts.is_taken("Ann Hunt")
    for name in ("ben", "You", "x" * 41):
        admin_client.post(url, {"display_name": name, "about": "", "time_zone": "UTC"})
        assert profiles.by_username("ann").person.name == "ann"
    assert admin_client.get("/admin/chat/profile/?q=ann").status_code == 200

"""Profiles on a real database: their names by what they look like, and what two people have in common."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from chat import models
from chat.domain import people
from chat.domain.people import Person
from chat.domain.profiles import ProfileChange
from chat.domain.rooms import find
from chat.errors import LoginRequired, NameTaken
from chat.models import Role
from chat.storage import accounts, moderation, profiles, readings
from chat.storage.readings import Mark
from tests.chat.storage.test_moderation import GUEST

pytestmark = pytest.mark.django_db
ALIKE = ["Ann Hunt", "ANN HUNT", "AnnHunt", "аnn hunt", "Ann Hunt\ufe0f", "ann\u2000hunt", "Ａnn hunt"]


def user(name: str, display_name: str = "") -> Person:
    account = User.objects.create_user(username=name)
    if display_name:
        return call(people.of_user(account), display_name)
    return people.of_user(account)


def call(person: Person, name: str) -> Person:
    return profiles.update(person, ProfileChange.clean(display_name=name)).person


class TestDisplayName:
    @pytest.mark.parametrize("name", ALIKE)
    def test_display_name_that_looks_like_anothers_display_name_is_taken(self, name: str) -> None:
        user("ann", "Ann Hunt")
        with pytest.raises(NameTaken):
            call(user("ben"), name)
        assert accounts.is_taken(name)

    @pytest.mark.parametrize("name", ["ben", "BEN", "Ben", "b\u0435n", "b e n"])
    def test_display_name_that_looks_like_anothers_username_is_taken(self, name: str) -> None:
        user("ben")
        with pytest.raises(NameTaken):
            call(user("ann"), name)

    @pytest.mark.parametrize("name", ["ann", "Ann", "ANN", "аnn"])
    def test_own_names_are_free_for_oneself(self, name: str) -> None:
        ann = user("ann", "Ann Hunt")
        assert call(ann, name).name == name
        assert call(ann, "Ann Hunt").name == "Ann Hunt"

    def test_display_name_is_free_again_after_it_was_changed_or_the_account_deleted(self) -> None:
        ann, ben = user("ann", "Ann Hunt"), user("ben")
        call(ann, "Ann H.")
        assert call(ben, "Ann Hunt").name == "Ann Hunt"
        call(ben, "")
        User.objects.get(username="ann").delete()
        assert call(ben, "Ann H.").name == "Ann H."

    def test_empty_display_name_shows_the_username(self) -> None:
        ann = call(user("ann", "Ann Hunt"), "")
        assert (ann.name, ann.username) == ("ann", "ann")
        assert not models.DisplayNameSkeleton.objects.exists()

    def test_guest_and_new_account_get_no_name_that_looks_like_a_display_name(self, client: Client) -> None:
        user("ann", "Ann.Hunt")
        answer = client.post("/accounts/name/", {"name": "ANN.HUNT"})
        assert answer.context["form"].errors["name"]
        passwords = {"password1": "correct horse", "password2": "correct horse"}
        answer = client.post("/accounts/signup/", {"username": "ann.hunt", **passwords})
        assert answer.context["form"].errors["username"]
        assert User.objects.count() == 1

    def test_migrate_forgets_the_names_of_accounts_that_a_release_before_deleted(self) -> None:
        ann = user("ann", "Ann Hunt")
        with connection.cursor() as cursor:  # which knows of no profiles
            cursor.execute("DELETE FROM chat_accountskeleton")
            cursor.execute("DELETE FROM auth_user WHERE id = %s", [int(ann.user_id)])
        assert accounts.is_taken("Ann Hunt")
        call_command("migrate", verbosity=0)
        assert not accounts.is_taken("Ann Hunt")
        assert not models.Profile.objects.exists()

    def test_migrate_learns_display_names_that_have_no_skeletons(self) -> None:
        user("ann", "Ann Hunt")
        models.DisplayNameSkeleton.objects.all().delete()
        call_command("migrate", verbosity=0)
        assert accounts.is_taken("ANN HUNT")


def at_once(*takers) -> list[str]:
    """The outcomes for several who take a name at the same moment, each in a thread of its own."""
    barrier = Barrier(len(takers))

    def take(taker) -> str:
        try:
            barrier.wait(10)
            return taker()
        except NameTaken:
            return "taken"
        finally:
            connection.close()

    with ThreadPoolExecutor(len(takers)) as threads:
        return [*threads.map(take, takers)]


@pytest.mark.django_db(transaction=True)
def test_of_several_who_want_the_same_display_name_at_once_one_gets_it() -> None:
    wanting = [user(f"user{number}") for number in range(6)]
    outcomes = at_once(*[lambda one=one: call(one, "Ann Hunt").name for one in wanting])
    assert sorted(outcomes) == ["Ann Hunt", *["taken"] * 5]


@pytest.mark.django_db(transaction=True)
def test_username_and_display_name_that_look_alike_are_not_taken_at_once() -> None:
    ann = user("ann")

    def sign_up() -> str:
        passwords = {"password1": "correct horse", "password2": "correct horse"}
        answer = Client().post("/accounts/signup/", {"username": "Hunter", **passwords})
        return "taken" if answer.status_code == 200 else "Hunter"

    assert sorted(at_once(lambda: call(ann, "hunter").name.title(), sign_up)) == ["Hunter", "taken"]
    assert len(accounts.alike(["hunter"])["hunter"]) == 1


class TestProfile:
    def test_update_changes_what_is_given_and_leaves_the_rest(self) -> None:
        ann = user("ann")
        profiles.update(ann, ProfileChange.clean(display_name="Ann Hunt", about="she/her"))
        found = profiles.update(ann, ProfileChange.clean(time_zone="Europe/Berlin"))
        assert (found.display_name, found.about, found.time_zone) == ("Ann Hunt", "she/her", "Europe/Berlin")
        assert profiles.by_username("ann") == found
        assert profiles.by_id(ann.id) == found

    def test_update_is_for_users(self) -> None:
        gone = user("gone")
        User.objects.update(is_active=False)
        for person in (GUEST, gone):
            with pytest.raises(LoginRequired):
                profiles.update(person, ProfileChange.clean(about="x"))

    @pytest.mark.parametrize("username", ["", "ANN", "nobody", "gone", "a\0b", "x" * 1000])
    def test_by_username_finds_active_accounts_of_exactly_that_name(self, username: str) -> None:
        user("ann")
        User.objects.create_user("gone", is_active=False)
        assert profiles.by_username(username) is None

    @pytest.mark.parametrize(
        "id", ["", "user-", "user-0", "user-x", "user-1 ", "user-999999999999999999", "guest-0123456789abcdef", "\0"]
    )
    def test_by_id_finds_nothing_for_ids_of_no_user(self, id: str) -> None:
        assert profiles.by_id(id) is None

    def test_people_are_read_with_their_display_names_in_one_query(
        self, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        some = [user(f"user{number}", f"Name {number}" if number % 2 else "") for number in range(5)]
        with django_assert_num_queries(1):
            found = profiles.people_by_ids([*(one.id for one in some), GUEST.id])
        assert [found[one.id].name for one in some] == ["user0", "Name 1", "user2", "Name 3", "user4"]


class TestRoomsInCommon:
    def test_rooms_in_common_are_those_of_both_that_both_may_enter(self) -> None:
        ann, ben, carl = user("ann"), user("ben"), user("carl")
        both, anns, bens, closed, secret = (find(name) for name in ("both", "anns", "bens", "closed", "secret"))
        moderation.create(closed, private=True, by=ann)
        moderation.set_role(closed, "ben", Role.MEMBER, by=ann)
        moderation.create(secret, private=True, by=ben)
        readings.enter([Mark(room, ann) for room in (both, anns)])
        readings.enter([Mark(room, ben) for room in (both, bens)])
        assert {own.room for own in profiles.rooms_in_common(ann, ben)} == {both, closed}
        assert {own.room for own in profiles.rooms_in_common(ben, ann)} == {both, closed}
        readings.enter([Mark(both, carl), Mark(closed, carl)])
        assert {own.room for own in profiles.rooms_in_common(carl, ben)} == {both}
        moderation.remove_member(closed, "ben", by=ann)
        assert {own.room for own in profiles.rooms_in_common(ann, ben)} == {both}

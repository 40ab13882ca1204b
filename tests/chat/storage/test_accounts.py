"""Names of accounts and names that look like them."""

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from chat.models import AccountSkeleton
from chat.storage import accounts

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("account", "name"),
    [
        *[("annhunt", f"annhunt{unseen}") for unseen in "\ufe0f\u034f\u180b\u17b4\U000e0100\u2800"],
        ("annhunt", "ANNHUNT"),
        ("annhunt", "аnnhunt"),  # Cyrillic
        ("Zoé", "ZOÉ"),
        ("Zoé", "zoe\u0301"),
        ("ΣΟΦΊΑ", "σοφία"),
        ("Ina", "lna"),
        ("Ina", "ina"),
    ],
)
def test_is_taken_for_names_that_look_like_an_account(account: str, name: str) -> None:
    User.objects.create_user(account)
    assert accounts.is_taken(name)
    assert accounts.is_taken(account)


@pytest.mark.parametrize("name", ["ann", "annhunter", "Zoe", "北京"])
def test_is_taken_is_false_for_other_names(name: str) -> None:
    User.objects.create_user("annhunt")
    User.objects.create_user("Zoé")
    assert not accounts.is_taken(name)


def test_is_taken_uses_one_indexed_query(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(1) as queries:
        accounts.is_taken("Ina")
    assert "chat_accountskeleton" in queries[0]["sql"]
    assert not {"upper", "lower", "like"} & set(queries[0]["sql"].lower().replace("(", " ").split())


def test_name_is_free_after_its_account_was_renamed_or_deleted() -> None:
    user = User.objects.create_user("annhunt")
    user.username = "zoe"
    user.save()
    assert not accounts.is_taken("annhunt")
    assert accounts.is_taken("ZOE")
    user.delete()
    assert not accounts.is_taken("zoe")


def test_name_is_taken_after_an_account_was_added_in_the_admin(admin_client: Client) -> None:
    form = {"username": "annhunt", "password1": "correct horse", "password2": "correct horse"}
    assert admin_client.post("/admin/auth/user/add/", form | {"usable_password": "true"}).status_code == 302
    assert accounts.is_taken("Annhunt")


def test_name_of_a_bulk_created_account_is_taken_once_it_logs_in(client: Client) -> None:
    (user,) = User.objects.bulk_create([User(username="annhunt")])
    assert not accounts.is_taken("annhunt")
    client.force_login(user)
    assert accounts.is_taken("annhunt")


def test_migrate_learns_all_accounts_and_forgets_deleted_ones() -> None:
    User.objects.bulk_create([User(username=f"user{number}") for number in range(3)])
    AccountSkeleton.objects.create(user_id=4711, skeleton="gone")
    call_command("migrate", verbosity=0)
    assert accounts.is_taken("USER2")
    assert not accounts.is_taken("gone")


def test_learn_takes_one_query_when_all_accounts_are_known(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    users = [User.objects.create_user(f"user{number}") for number in range(3)]
    with django_assert_num_queries(1):
        accounts.learn(users)

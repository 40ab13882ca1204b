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
def test_a_name_that_looks_like_an_accounts_is_taken(account: str, name: str) -> None:
    User.objects.create_user(account)
    assert accounts.is_taken(name)
    assert accounts.is_taken(account)


@pytest.mark.parametrize("name", ["ann", "annhunter", "Zoe", "北京"])
def test_other_names_are_free(name: str) -> None:
    User.objects.create_user("annhunt")
    User.objects.create_user("Zoé")
    assert not accounts.is_taken(name)


def test_a_name_is_looked_up_in_one_indexed_query(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(1) as queries:
        accounts.is_taken("Ina")
    assert "chat_accountskeleton" in queries[0]["sql"]
    assert not {"upper", "lower", "like"} & set(queries[0]["sql"].lower().replace("(", " ").split())


def test_an_account_that_is_renamed_or_deleted_leaves_its_name_free() -> None:
    user = User.objects.create_user("annhunt")
    user.username = "zoe"
    user.save()
    assert not accounts.is_taken("annhunt")
    assert accounts.is_taken("ZOE")
    user.delete()
    assert not accounts.is_taken("zoe")


def test_an_account_of_the_admin_pages_has_its_name(admin_client: Client) -> None:
    form = {"username": "annhunt", "password1": "correct horse", "password2": "correct horse"}
    assert admin_client.post("/admin/auth/user/add/", form | {"usable_password": "true"}).status_code == 302
    assert accounts.is_taken("Annhunt")


def test_an_account_that_something_else_made_is_learnt_when_it_logs_in(client: Client) -> None:
    (user,) = User.objects.bulk_create([User(username="annhunt")])
    assert not accounts.is_taken("annhunt")
    client.force_login(user)
    assert accounts.is_taken("annhunt")


def test_migrating_learns_all_accounts_and_forgets_those_that_are_gone() -> None:
    User.objects.bulk_create([User(username=f"user{number}") for number in range(3)])
    AccountSkeleton.objects.create(user_id=4711, skeleton="gone")
    call_command("migrate", verbosity=0)
    assert accounts.is_taken("USER2")
    assert not accounts.is_taken("gone")


def test_learning_what_is_known_takes_one_query(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    users = [User.objects.create_user(f"user{number}") for number in range(3)]
    with django_assert_num_queries(1):
        accounts.learn(users)

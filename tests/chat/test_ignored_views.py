"""The page of the people whom one ignores, and the form on profiles."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from chat.domain import people
from chat.domain.people import Person
from chat.storage import ignoring

LOUD = Person(id="guest-00000000000000aa", name="Loud <b>Otter</b>")
PAGE = "/accounts/ignored/"

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann() -> Client:
    client = Client()
    client.force_login(User.objects.create_user("ann"))
    return client


def person(name: str) -> Person:
    return people.of_user(User.objects.get_or_create(username=name)[0])


def post(client: Client, person_id: str, on: str, **fields: str) -> tuple[int, str]:
    answer = client.post(PAGE, {"person_id": person_id, "on": on, **fields})
    return answer.status_code, answer.headers.get("Location", answer.content.decode())


def test_ignored_people_are_listed_and_heard_again(ann: Client) -> None:
    ben = person("ben")
    for one in (ben, LOUD):
        assert post(ann, one.id, "true") == (302, PAGE)
    page = ann.get(PAGE).content.decode()
    assert page.index("A guest") < page.index("ben")
    assert post(ann, ben.id, "false") == (302, PAGE)
    assert [one.id for one in ignoring.ignored(person("ann"))] == [LOUD.id]


def test_guest_ignores_people() -> None:
    client = Client()
    assert "Nobody." in client.get(PAGE).content.decode()
    assert post(client, LOUD.id, "true") == (302, PAGE)
    assert "A guest" in client.get(PAGE).content.decode()


def test_guest_is_asked_to_log_in_where_none_are_taken(settings) -> None:
    settings.CHAT_GUESTS = False
    assert Client().get(PAGE).status_code == 302


@pytest.mark.parametrize("person_id", ["", "room", "user-99999", "guest-1", "\0"])
def test_bad_id_is_refused_with_its_reason(ann: Client, person_id: str) -> None:
    status, page = post(ann, person_id, "true")
    assert (status, "There is nobody with that id." in page) == (400, True)


def test_form_leads_back_to_a_page_of_this_site_alone(ann: Client) -> None:
    for given, leads_to in (("/people/ben/", "/people/ben/"), ("https://example.com/", PAGE)):
        assert post(ann, LOUD.id, "true", next=given) == (302, leads_to)


def test_profile_offers_to_ignore_a_user_and_to_undo_that(ann: Client) -> None:
    ben = person("ben")
    assert 'name="on" value="true"' in ann.get("/people/ben/").content.decode()
    post(ann, ben.id, "true")
    page = ann.get("/people/ben/").content.decode()
    assert 'name="on" value="false"' in page
    assert 'name="next" value="/people/ben/"' in page
    own = ann.get("/people/ann/").content.decode()
    assert 'name="on"' not in own
    assert PAGE in own

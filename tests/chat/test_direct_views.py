"""The page that leads to direct rooms."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from chat.models import Room

pytestmark = pytest.mark.django_db
URL = reverse("room_direct")


@pytest.fixture
def ann() -> Client:
    client = Client()
    client.force_login(User.objects.create_user("ann"))
    return client


@pytest.fixture
def ben() -> User:
    return User.objects.create_user("ben")


def test_names_and_id_lead_to_the_same_room(ann: Client, ben: User) -> None:
    given = [{"usernames": " @ben ,, ben,ann"}, {"person_id": f"user-{ben.pk}"}]
    answers = [ann.post(URL, one) for one in given]
    assert [answer.status_code for answer in answers] == [302, 302]
    assert answers[0]["Location"] == answers[1]["Location"]
    page = ann.get(answers[0]["Location"])
    assert page.context["display_name"] == "ben"
    assert Room.objects.count() == 1


@pytest.mark.parametrize(
    "given",
    [
        {"usernames": ""},
        {"usernames": ", ,"},
        {"usernames": "ann"},
        {"usernames": "ben, nobody"},
        {"usernames": "ben\0"},
        {"usernames": "b" * 4000},
        {"usernames": ",".join(f"user{number}" for number in range(30))},
        {"person_id": ""},
        {"person_id": "user-0"},
        {"person_id": "user-999999999999999999"},
        {"person_id": "guest-0123456789abcdef"},
        {"person_id": "\0"},
        {},
    ],
)
def test_page_says_what_is_wrong(ann: Client, ben: User, given: dict[str, str]) -> None:
    answer = ann.post(URL, given)
    assert answer.status_code == 200
    assert answer.context["form"].errors["usernames"]
    assert not Room.objects.exists()


def test_guests_log_in_first(ben: User) -> None:
    for answer in (Client().get(URL), Client().post(URL, {"person_id": f"user-{ben.pk}"})):
        assert answer["Location"] == f"{reverse('login')}?next={URL}"
    assert not Room.objects.exists()


def test_page_of_a_room_that_is_none_of_ones_own_names_nobody(ann: Client, ben: User) -> None:
    url = ann.post(URL, {"usernames": "ben"})["Location"]
    for outsider in (Client(), Client()):
        answer = outsider.get(url)
        assert answer.status_code == 403
        assert b"ben" not in answer.content
    assert ann.get("/chat/@ben/").status_code == 400

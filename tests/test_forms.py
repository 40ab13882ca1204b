"""The labels of the site's forms."""

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client

LABEL = re.compile(r"<label[^>]*>(.*?)</label>", re.DOTALL)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    ("url", "logged_in"),
    [
        ("/chat/", False),
        ("/accounts/login/", False),
        ("/accounts/signup/", False),
        ("/accounts/name/", False),
        ("/rooms/new/", True),
        ("/rooms/direct/", True),
        ("/accounts/profile/", True),
    ],
)
def test_labels_have_no_colon(url: str, logged_in: bool) -> None:
    client = Client()
    if logged_in:
        client.force_login(User.objects.create_user("ann"))
    answer = client.get(url)
    labels = LABEL.findall(answer.content.decode())
    assert answer.status_code == 200
    assert labels
    assert not [label for label in labels if label.strip().endswith(":")]

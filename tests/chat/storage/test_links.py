"""What is known of linked pages, and who asks for them."""

from datetime import timedelta
from uuid import UUID

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone

from chat import models
from chat.domain.link_pages import PageFacts
from chat.domain.links import Link
from chat.domain.people import Person, of_user
from chat.domain.rooms import Room
from chat.errors import NotAllowed, NotAMember
from chat.storage import history, link_pictures, links
from chat.storage.edits import edit_message
from chat.storage.moderation import create, delete_message
from tests.chat.storage.test_moderation import ROOM, say

pytestmark = pytest.mark.django_db

URL = "https://a.example/"
FACTS = PageFacts("Title", "About", "Site", "")
LINK = Link(URL, "Title", "About", "Site")


def age(**since: float) -> None:
    """Makes what is known that much older."""
    row = models.LinkPreview.objects.get()
    for column in ["claimed_at", "fetched_at", "used_at"]:
        if at := getattr(row, column):
            setattr(row, column, at - timedelta(**since))
    row.save()


def test_claim_is_given_once_until_it_is_finished() -> None:
    assert isinstance(links.claim(ROOM, URL), UUID)
    assert links.claim(ROOM, URL) is None
    assert links.known(URL) is None
    assert links.finish(ROOM, URL, FACTS) == LINK
    assert links.known(URL) == links.Known(LINK)
    assert links.claim(ROOM, URL) is None


def test_claim_of_a_process_that_ended_is_given_to_another() -> None:
    first = links.claim(ROOM, URL)
    age(minutes=2)
    assert links.claim(ROOM, URL) == first  # the id of the picture stays
    assert links.claim(ROOM, URL) is None


def test_claim_that_was_released_is_given_again() -> None:
    links.claim(ROOM, URL)
    links.release(ROOM, URL)
    assert links.claim(ROOM, URL)


def test_failure_is_known_for_a_while() -> None:
    links.claim(ROOM, URL)
    assert links.finish(ROOM, URL, None) is None
    assert links.known(URL) == links.Known(None)
    age(minutes=30)
    assert links.claim(ROOM, URL) is None
    age(minutes=31)
    assert links.known(URL) is None
    assert links.claim(ROOM, URL)


def test_page_is_asked_for_again_after_days() -> None:
    links.claim(ROOM, URL)
    links.finish(ROOM, URL, FACTS, (480, 320))
    age(days=6)
    assert links.known(URL)
    age(days=2)
    assert links.known(URL) is None
    assert links.claim(ROOM, URL)
    assert links.finish(ROOM, URL, PageFacts("New", "", "", "")) == Link(URL, "New")


def test_picture_is_named_by_an_id_that_stays() -> None:
    id = links.claim(ROOM, URL)
    link = links.finish(ROOM, URL, FACTS, (480, 320))
    assert id
    assert link
    assert link.picture
    assert (link.picture.id, link.picture.width, link.picture.height) == (id.hex, 480, 320)


def test_previews_are_shown_in_public_rooms_unless_somebody_decides_otherwise() -> None:
    owner = user("ann")
    create(Room("open"), by=owner, private=False)
    create(Room("closed"), by=owner, private=True)
    assert links.are_shown(Room("never seen"))
    assert links.are_shown(Room("open"))
    assert not links.are_shown(Room("closed"))
    assert not links.are_shown(Room("@1-2"))
    links.set_link_previews(Room("open"), False, by=owner)
    links.set_link_previews(Room("closed"), True, by=owner)
    assert not links.are_shown(Room("open"))
    assert links.are_shown(Room("closed"))


def test_set_link_previews_is_for_moderators() -> None:
    create(Room("open"), by=user("ann"), private=False)
    create(Room("closed"), by=user("bob"), private=True)
    with pytest.raises(NotAllowed):
        links.set_link_previews(Room("open"), False, by=user("eve"))
    with pytest.raises(NotAMember):
        links.set_link_previews(Room("closed"), True, by=user("eve"))


def test_links_are_shown_with_the_text_that_has_them() -> None:
    person = user("ann")
    offset = say(f"see {URL}", person)
    assert not links.show(ROOM, offset, "another text", [LINK])
    assert not links.show(ROOM, offset + 1, f"see {URL}", [LINK])
    assert links.show(ROOM, offset, f"see {URL}", [LINK])
    assert history.message(ROOM, offset).links == (LINK,)


def test_links_go_with_an_edit_and_with_a_deletion() -> None:
    person = user("ann")
    for change in [
        lambda at: edit_message(ROOM, at, "nothing", by=person),
        lambda at: delete_message(ROOM, at, by=person),
    ]:
        offset = say(URL, person)
        links.show(ROOM, offset, URL, [LINK])
        change(offset)
        assert history.message(ROOM, offset).links == ()


def test_forget_unused_forgets_pages_and_their_pictures() -> None:
    for url in [URL, "https://b.example/"]:
        id = links.claim(ROOM, url)
        assert id
        link_pictures.keep(id, b"picture of " + url.encode())
        links.finish(ROOM, url, FACTS, (1, 1))
    age_of_b = timezone.now() - timedelta(days=40)
    models.LinkPreview.objects.filter(url="https://b.example/").update(used_at=age_of_b)
    gone = models.LinkPreview.objects.get(url="https://b.example/").picture_id
    kept = models.LinkPreview.objects.get(url=URL).picture_id
    assert links.forget_unused(timezone.now() - timedelta(days=30)) == 1
    assert link_pictures.read(kept) == b"picture of https://a.example/"
    with pytest.raises(FileNotFoundError):
        link_pictures.read(gone)


def test_picture_takes_the_place_of_the_one_before() -> None:
    id = UUID(int=7)
    link_pictures.keep(id, b"first")
    link_pictures.keep(id, b"second")
    assert link_pictures.read(id) == b"second"
    link_pictures.delete(id)
    link_pictures.delete(id)


def user(name: str) -> Person:
    return of_user(get_user_model().objects.get_or_create(username=name)[0])

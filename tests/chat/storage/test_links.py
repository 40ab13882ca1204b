"""Stored previews of linked pages, and the process that asks for a page."""

from datetime import timedelta
from uuid import UUID

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone

from chat import models
from chat.domain.link_pages import PageFacts
from chat.domain.links import REMOVED_MAX, Link
from chat.domain.people import Person, of_user
from chat.domain.rooms import Room
from chat.errors import ChatError, NoSuchMessage, NotAllowed, NotAMember
from chat.storage import history, link_pictures, links, moderation
from chat.storage.edits import edit_message
from chat.storage.moderation import create, delete_message
from tests.chat.storage.test_moderation import ROOM, Cast, say

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


class TestRemove:
    def test_removed_link_is_not_shown_after_edits_of_other_parts_either(self) -> None:
        person, other = user("ann"), Link("https://b.example/", "Other")
        offset = say(f"{URL} {other.url}", person)
        links.show(ROOM, offset, f"{URL} {other.url}", [LINK, other])
        assert links.remove(ROOM, offset, URL, by=person) == (other,)
        assert links.remove(ROOM, offset, URL, by=person) is None
        assert history.message(ROOM, offset).links == (other,)
        for text in (f"look: {URL} {other.url}", "nothing", f"{URL} again, and {other.url}"):
            edit_message(ROOM, offset, text, by=person)
            assert history.message(ROOM, offset).links == ()
            assert links.show(ROOM, offset, text, [LINK, other]) == (other,)
        assert links.remove(ROOM, offset, other.url, by=None) == ()
        assert links.show(ROOM, offset, text, [LINK, other]) == ()
        delete_message(ROOM, offset, by=person)
        assert models.Message.objects.get(offset=offset).links is None

    def test_release_before_shows_what_is_left(self) -> None:
        """It reads each link of a message by this function, and passes over what isn't one."""
        person = user("ann")
        offset = say(URL, person)
        links.show(ROOM, offset, URL, [LINK])
        links.remove(ROOM, offset, URL, by=person)
        stored = models.Message.objects.get(offset=offset).links
        assert stored == [{"removed": URL}]
        assert Link.all_from_json(stored) == ()

    def test_only_so_many_are_remembered(self) -> None:
        person, last = user("ann"), [f"https://{number}.example/" for number in range(REMOVED_MAX + 2)]
        offset = say("many", person)
        for url in last:
            links.show(ROOM, offset, "many", [Link(url, "x")])
            links.remove(ROOM, offset, url, by=person)
        assert models.Message.objects.get(offset=offset).links == [{"removed": url} for url in last[2:]]

    @pytest.mark.parametrize(
        ("who", "error"),
        [
            ("member", None),  # who said it
            ("moderator", None),
            ("owner", None),
            ("other 0", NotAllowed),
            ("stranger", NotAMember),
            ("guest", NotAMember),
        ],
    )
    def test_remove_is_for_the_author_and_for_moderators(self, who: str, error: type[ChatError] | None) -> None:
        cast = Cast()
        moderation.set_role(ROOM, "other 0", models.Role.MEMBER, by=cast["owner"])
        offset = say(URL, cast["member"])
        links.show(ROOM, offset, URL, [LINK])
        if error is None:
            assert links.remove(ROOM, offset, URL, by=cast[who]) == ()
            return
        with pytest.raises(error):
            links.remove(ROOM, offset, URL, by=cast[who])
        assert history.message(ROOM, offset).links == (LINK,)

    @pytest.mark.parametrize("target", ["edit", "deleted", "beyond"])
    def test_remove_is_refused_for_offsets_of_no_message(self, target: str) -> None:
        person = user("ann")
        offset, deleted = say(URL, person), say(URL, person)
        edit = edit_message(ROOM, offset, "new", by=person)
        delete_message(ROOM, deleted, by=person)
        assert edit
        with pytest.raises(NoSuchMessage):
            links.remove(ROOM, {"edit": edit.offset or 0, "deleted": deleted, "beyond": 99}[target], URL, by=person)


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

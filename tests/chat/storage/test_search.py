"""Search on a real database: what is found by which query, the same on SQLite and PostgreSQL, and by whom."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import StringIO
from unittest import mock
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import OperationalError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from chat import models
from chat.domain import people
from chat.domain.files import Attachment
from chat.domain.people import Person
from chat.domain.rooms import Room, find
from chat.domain.search import read
from chat.models import Role
from chat.storage import (
    direct_rooms,
    edits,
    log,
    moderation,
    pruning,
    search,
    search_feed,
    search_postgresql,
    search_sqlite,
)

ANN = Person(id="user-1001", name="Ann")
OTTER = Person(id="guest-0123456789abcdef", name="Quiet Otter 42")
OTHER_OTTER = Person(id="guest-1123456789abcdef", name="Quiet Otter 43")
ROOM, OTHER = find("room1"), find("Über uns")

pytestmark = pytest.mark.django_db

TEXTS = {
    "plain": "The quick brown fox jumps over the lazy dog",
    "french": "Un café crème à l'Hôtel, s’il vous plaît",
    "plain cafe": "cafe without anything",
    "cafeteria": "The CAFETERIA is closed",
    "decomposed": "cafe\u0301 decomposed",
    "german": "Große Straße nach Łódź und Ørsted",
    "turkish": "İstanbul'da ısı",
    "greek": "Η ΟΔΟΣ και η οδός",
    "russian": "Ёлка стоит",
    "chinese": "我们在北京开会",
    "japanese": "東京タワーへ行きましょう",
    "korean": "한국어로 검색을 합니다",
    "kana": "ガラスとカラス",
    "thai": "ภาษาไทยไม่มีช่องว่าง",
    "hindi": "हिन्दी में लिखा",
    "arabic": "السَّلامُ عليكم",
    "emoji": "Well done 👍🏽 indeed",
    "path": "see /usr/lib/python3.11/site-packages and a.b.c",
    "url": "https://example.org/a?b=-5&c=foo_bar#x mail me@example.org",
    "code": "SELECT * FROM t WHERE a <-> 'b' AND NOT NEAR(c) -- x:y",
    "numbers": "-5 007 1e5 3.14 12345678901234567890",
    "hyphen": "a well-known follow-up",
    "repeated": "echo echo echo, said the echo",
    "backwards": "fox brown",
    "long word": "x" * 3000,
    "zero width": "in\u200bvis\u00adible",
    "ligature": "ﬁne ㎏ ½",
    "not": "and or not near",
}
OTHERS = {"otter": ("by an otter: fox", OTTER), "other otter": ("by another otter", OTHER_OTTER)}

FINDS: dict[str, list[str]] = {
    # Words, whatever their order
    "fox": ["otter", "backwards", "plain"],
    "FOX": ["otter", "backwards", "plain"],
    "brown fox": ["backwards", "plain"],
    "fox zebra": [],
    "zebra": [],
    # Phrases
    '"brown fox"': ["plain"],
    '"fox brown"': ["backwards"],
    '"fox jumps over"': ["plain"],
    '"fox over"': [],
    '"echo echo echo said"': ["repeated"],
    '"echo echo echo echo"': [],
    "“brown fox”": ["plain"],
    "«brown fox»": ["plain"],
    '"brown fox': ["plain"],  # a quote that isn't closed
    'lazy"brown fox"': ["plain"],
    '"brown fo"*': ["plain"],
    '"brown fo*"': [],
    # Beginnings of words
    "caf*": ["decomposed", "cafeteria", "plain cafe", "french"],
    "CAFÉ*": ["decomposed", "cafeteria", "plain cafe", "french"],
    "caf": [],
    "j*": [],  # one letter is too little for a beginning
    "ju*": ["plain"],
    "follow-u*": [],
    "follow-up*": ["hyphen"],
    # Case and diacritics, both ways
    "cafe": ["decomposed", "plain cafe", "french"],
    "café": ["decomposed", "plain cafe", "french"],
    "CAFE\u0301": ["decomposed", "plain cafe", "french"],
    "plait hotel": ["french"],
    "strasse": ["german"],
    "STRAẞE": ["german"],
    "lodz orsted": ["german"],
    "istanbul isi": ["turkish"],
    "ΟΔΌΣ": ["greek"],
    "елка": ["russian"],
    "السلام": ["arabic"],
    # Scripts without blanks between words
    "北京": ["chinese"],
    "开会": ["chinese"],
    "京北": [],
    "京": ["japanese", "chinese"],
    "東京": ["japanese"],
    "タワー": ["japanese"],
    "검색": ["korean"],
    "한국": ["korean"],
    "ガラス": ["kana"],
    "カラス": ["kana"],
    "ｶﾞﾗｽ": ["kana"],
    "ラス": ["kana"],
    "ไทย": ["thai"],
    "हिन्दी": ["hindi"],
    "हिन्द": [],
    "👍": ["emoji"],
    "👍🏿": ["emoji"],
    # Texts that databases would cut in ways of their own
    "python3.11": ["path"],
    "site-packages": ["path"],
    "/usr/lib": ["path"],
    "a.b.c": ["path"],
    "a.c": [],
    "example.org": ["url"],
    "me@example.org": ["url"],
    "https://example.org/a?b=-5": ["url"],
    "foo_bar": ["url"],
    "bar": ["url"],
    "-5": ["numbers", "url"],
    "007": ["numbers"],
    "7": [],
    "1e5": ["numbers"],
    "3.14": ["numbers"],
    "12345678901234567890": ["numbers"],
    "well-known": ["hyphen"],
    "well known": ["hyphen"],
    "x" * 200: ["long word"],
    "invisible": ["zero width"],
    "fine": ["ligature"],
    "kg": ["ligature"],
    # Texts that databases would read as their own language
    "AND": ["not", "code", "path"],
    "fox AND": [],
    "OR NOT": ["not"],
    "NEAR(": ["not", "code"],
    "NEAR(c)": ["code"],
    "a <-> 'b'": ["code", "url", "path"],
    "fox & ! | brown": ["backwards", "plain"],
    "fox:*": ["otter", "backwards", "plain"],
    "fox:* | zebra": [],
    "terms:fox": [],
    "-fox": ["otter", "backwards", "plain"],
    "^fox": ["otter", "backwards", "plain"],
    "fox + brown": ["backwards", "plain"],
    "{fox}": ["otter", "backwards", "plain"],
    "fox'": ["otter", "backwards", "plain"],
    "fox\\": ["otter", "backwards", "plain"],
    "'; DROP TABLE chat_message; --": [],
    "fox % _": ["otter", "backwards", "plain"],
    "#r1": [],
    "#f": [],
    "fo\0x": [],
    "fox\0brown": ["backwards"],
    "fox\ud800": ["otter", "backwards", "plain"],
    "x:y": ["code"],
    # Nothing to look for
    "": [],
    " \t\n": [],
    "*": [],
    '"': [],
    '""': [],
    "!?": [],
    "before:2100-01-01": [],
    # Operators
    "from:ann fox": ["backwards", "plain"],
    "FROM:ANN fox": ["backwards", "plain"],
    'from:"Quiet Otter 42"': ["otter"],
    'from:"quiet otter 42" fox': ["otter"],
    "from:“Quiet Otter 42”": ["otter"],
    "from:quietotter42": ["otter"],
    'from:"Quiet Otter 42" from:"Quiet Otter 43"': ["other otter", "otter"],
    'from:"Quiet Otter': [],
    "from:nobody fox": [],
    "from:": ["code"],  # a word, as long as nobody is named
    "from:*": [],
    "from:! fox": [],
    "in:room1 brown": ["backwards", "plain"],
    "in:ROOM1 brown": ["backwards", "plain"],
    'in:"über uns" fox': ["otter"],
    'in:"Über uns" in:room1 fox': ["otter", "backwards", "plain"],
    "in:nowhere fox": [],
    "in:.. fox": [],
    "in:@0123 fox": [],
    "has:file fox": [],
    "has:link": [],
    "fox after:2026-01-02": ["otter"],
    "fox after:2026-01-03": [],
    "fox before:2026-01-02": ["backwards", "plain"],
    "fox before:2026-01-01": [],
    "fox after:2026-01-01 before:2026-01-02": ["backwards", "plain"],
}


def say(text: str, room: Room = ROOM, person: Person = ANN, at: datetime | None = None) -> int:
    with mock.patch("django.utils.timezone.now", return_value=at or datetime(2026, 1, 1, 12, tzinfo=UTC)):
        return log.append([log.Draft(room=room, text=text, person=person, trusted=True)])[0].event.offset or 0


def texts(query: str, person: Person = OTTER, **asked: object) -> list[str]:
    return [one.event.message for one in search.find(read(query), person=person, **{"size": 50, **asked}).found]


def user(name: str) -> Person:
    return people.of_user(User.objects.create_user(username=name))


class TestQueries:
    @pytest.mark.parametrize("indexed", ["no", "yes", "half"])
    def test_each_query_finds_the_messages_of_the_table(self, indexed: str) -> None:
        for text in TEXTS.values():
            say(text)
        for text, person in OTHERS.values():
            say(text, OTHER, person, datetime(2026, 1, 2, 12, tzinfo=UTC))
        if indexed != "no":
            search_feed.feed(10 if indexed == "half" else 1000)
        called = {text: name for name, text in TEXTS.items()} | {text: name for name, (text, _) in OTHERS.items()}
        found = {query: [called[text] for text in texts(query)] for query in FINDS}
        assert found == FINDS


class TestPages:
    @pytest.mark.parametrize("indexed", [True, False])
    def test_pages_have_each_message_once_the_newest_first(self, indexed: bool) -> None:
        expected = [f"fox {number}" for number in range(20)]
        for text in expected:
            say(text)
        if indexed:
            fill_index()
        found, after = [], None
        while True:
            page = search.find(read("fox"), person=OTTER, size=6, after=after)
            found += [one.event.message for one in page.found]
            if not page.has_more:
                break
            after = page.found[-1].key
        assert found == expected[::-1]

    @pytest.mark.parametrize("few", [0, 10_000])  # hits that are sorted together on PostgreSQL
    def test_old_hits_come_in_their_order(self, few: int, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(search_postgresql, "FEW", few)
        monkeypatch.setattr("chat.storage.search_index.BUCKET_BITS", 2)
        monkeypatch.setattr(search_postgresql, "BUCKET_BITS", 2)
        monkeypatch.setattr(search_postgresql, "NEWEST", 3)
        for number in range(20):
            say(f"{'fox' if number % 3 else 'dog'} {number}")
        fill_index()
        assert texts("fox") == [f"fox {number}" for number in range(19, -1, -1) if number % 3]
        assert texts("fox", size=2) == ["fox 19", "fox 17"]

    def test_days_begin_where_the_person_is(self) -> None:
        ann = user("ann")
        models.Profile.objects.create(user_id=int(ann.user_id), time_zone="Pacific/Auckland")  # 13 hours ahead
        say("fox", at=datetime(2026, 1, 1, 12, tzinfo=UTC))
        assert texts("fox after:2026-01-02", ann) == ["fox"]
        assert texts("fox after:2026-01-02", OTTER) == []

    def test_search_takes_few_statements_however_much_is_found(self) -> None:
        for number in range(30):
            say(f"fox {number}")
        fill_index()
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert len(texts("fox from:ann in:room1 after:2026-01-01", user("ben"))) == 30
        assert len([one for one in queries if one["sql"].lstrip().startswith(("SELECT", "(SELECT"))]) <= 12


def fill_index() -> None:
    while search_feed.feed() == 0:
        pass


def test_search_that_takes_too_long_is_broken_off(monkeypatch: pytest.MonkeyPatch) -> None:
    if connection.vendor == "postgresql":  # whose lanes have a statement_timeout: see test_lanes
        return
    monkeypatch.setattr(search_sqlite, "TIMEOUT", 0)
    monkeypatch.setattr(search_sqlite, "INSTRUCTIONS", 1)
    say("fox")
    with pytest.raises(OperationalError):
        texts("fox")
    monkeypatch.undo()
    assert texts("fox") == ["fox"]


class TestPeople:
    def test_from_finds_users_by_username_and_display_name_as_they_are_and_were(self) -> None:
        ann = user("ann_smith")
        say("fox one", person=ann)
        models.Profile.objects.create(user_id=int(ann.user_id), display_name="Ännchen")
        say("fox two", person=people.of_account(ann.user_id, "ann_smith", "Ännchen"))
        for name in ("ann_smith", "ANN_SMITH", "Ännchen", "ÄNNCHEN"):
            assert texts(f"from:{name} fox") == ["fox two", "fox one"], name
        assert texts("from:annchen fox") == ["fox two"]  # without the diacritics, by the name that it was written under
        assert texts("from:me fox", ann) == ["fox two", "fox one"]
        assert texts("from:me fox") == []

    def test_from_finds_nobody_whose_name_only_looks_alike(self) -> None:
        say("fox", person=user("lna"))
        assert texts("from:Ina fox") == []


class Cast:
    """People, and rooms of each kind, in each of which somebody said `secret` and the room's kind."""

    def __init__(self) -> None:
        self.people = {name: user(name) for name in ("owner", "member", "stranger", "banned", "staff")}
        self.people["guest"] = OTTER
        User.objects.filter(username="staff").update(is_staff=True, is_superuser=True)
        owner = self.people["owner"]
        moderation.create(find("private"), private=True, by=owner)
        moderation.set_role(find("private"), "member", Role.MEMBER, by=owner)
        moderation.create(find("watched"), private=False, by=owner)
        moderation.ban(find("watched"), self.people["banned"].id, by=owner)
        members = [self.people["owner"], self.people["member"]]
        self.direct = direct_rooms.room_of(members)
        direct_rooms.make(self.direct, members)
        rooms = {"public": find("open"), "private": find("private"), "watched": find("watched"), "direct": self.direct}
        for kind, room in rooms.items():
            say(f"secret {kind}", room, owner)


MAY_FIND = {
    "owner": {"public", "private", "watched", "direct"},
    "member": {"public", "private", "watched", "direct"},
    "stranger": {"public", "watched"},
    "banned": {"public"},
    "staff": {"public", "watched"},
    "guest": {"public", "watched"},
}


@pytest.mark.parametrize("indexed", [True, False])
@pytest.mark.parametrize("most", [100, 1])  # rooms that are named in the statement
class TestPermission:
    @pytest.fixture
    def cast(self, indexed: bool, most: int, monkeypatch: pytest.MonkeyPatch) -> Cast:
        monkeypatch.setattr(search, "ROOMS_MAX", most)
        cast = Cast()
        if indexed:
            fill_index()
        return cast

    def test_search_finds_what_each_person_may_read(self, cast: Cast) -> None:
        found = {
            name: {text.removeprefix("secret ") for text in texts("secret", person)}
            for name, person in cast.people.items()
        }
        assert found == MAY_FIND

    def test_room_that_is_closed_is_answered_like_one_that_is_not_there(self, cast: Cast) -> None:
        for name in ("private", cast.direct.name):
            for query in (f"in:{name} secret", f"in:{name}", f'in:"{name}" from:owner'):
                found = search.find(read(query), person=OTTER, size=10)
                nowhere = search.find(read(query.replace(name, "nowhere")), person=OTTER, size=10)
                assert (found.found, found.has_more, found.is_complete) == (
                    nowhere.found,
                    nowhere.has_more,
                    nowhere.is_complete,
                )

    def test_members_find_their_closed_room_by_name(self, cast: Cast) -> None:
        assert texts("in:private secret", cast.people["member"]) == ["secret private"]
        assert texts(f"in:{cast.direct.name}", cast.people["member"]) == ["secret direct"]

    def test_permission_is_that_of_the_moment(self, cast: Cast) -> None:
        owner, member = cast.people["owner"], cast.people["member"]
        moderation.remove_member(find("private"), "member", by=owner)
        assert "secret private" not in texts("secret", member)
        moderation.set_private(find("private"), False, by=owner)
        assert "secret private" in texts("secret", OTTER)
        moderation.ban(find("private"), OTTER.id, by=owner)
        assert "secret private" not in texts("secret", OTTER)

    def test_pages_end_where_they_would_without_closed_rooms(self, cast: Cast) -> None:
        results = search.find(read("secret"), person=cast.people["banned"], size=1)
        assert [one.event.message for one in results.found] == ["secret public"]
        assert not results.has_more


def delete(offset: int) -> None:
    moderation.delete_message(ROOM, offset, by=None)


CHANGES: dict[str, Callable[[int], object]] = {
    "edit": lambda offset: edits.edit_message(ROOM, offset, "hound", by=ANN),
    "deletion": delete,
    "pruning": lambda offset: pruning.prune(keep=0),
    "deletion of the room": lambda offset: models.Room.objects.all().delete(),
    "an older release edits": lambda offset: models.Message.objects.filter(offset=offset).update(text="hound"),
    "an older release deletes": lambda offset: models.Message.objects.filter(offset=offset).update(text="", deletion=9),
}
KEPT = {"edit": ["hound"], "an older release edits": ["hound"]}


class TestChanges:
    @pytest.mark.parametrize("indexed", [True, False])
    @pytest.mark.parametrize("change", CHANGES)
    def test_message_is_found_as_it_is_now(self, change: str, indexed: bool) -> None:
        offset = say("fox")
        if indexed:
            fill_index()
        CHANGES[change](offset)
        assert (texts("fox"), texts("hound")) == ([], KEPT.get(change, []))
        fill_index()
        assert (texts("fox"), texts("hound")) == ([], KEPT.get(change, []))
        assert entries() == len(KEPT.get(change, []))

    @pytest.mark.django_db(transaction=True)
    def test_flush_empties_the_index(self) -> None:
        say("fox")
        fill_index()
        call_command("flush", interactive=False, verbosity=0)
        assert entries() == 0
        say("fox")
        assert texts("fox") == ["fox"]

    @pytest.mark.parametrize("indexed", [True, False])
    def test_author_whose_name_is_taken_away_is_not_found_by_it(self, indexed: bool) -> None:
        say("fox", person=OTTER)
        if indexed:
            fill_index()
        models.Message.objects.update(person_name="Someone")
        assert (texts('from:"Quiet Otter 42"'), texts("from:someone")) == ([], ["fox"])

    def test_reaction_leaves_the_entry_alone(self) -> None:
        say("fox")
        fill_index()
        models.Message.objects.update(reactions=[{"emoji": "👍", "count": 1, "people": []}])
        assert entries() == 1
        assert not models.SearchPending.objects.exists()

    def test_deletion_that_is_undone_leaves_the_entry(self) -> None:
        offset = say("fox")
        fill_index()
        with transaction.atomic():
            delete(offset)
            transaction.set_rollback(True)
        assert texts("fox") == ["fox"]
        assert entries() == 1


def entries() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM chat_search")
        (count,) = cursor.fetchone()
    return count


class TestFiles:
    @pytest.mark.parametrize("indexed", [True, False])
    def test_names_of_files_are_found_and_no_phrase_is_in_two_of_them(self, indexed: bool) -> None:
        say("holiday fox")
        attach("Rechnung März.pdf", "fox.tar.gz")
        say("holiday without one")
        if indexed:
            fill_index()
        for query in ("rechnung", "märz", "fox.tar.gz", '"holiday fox" has:file', "has:file", "HAS:FILE holiday"):
            assert texts(query) == ["holiday fox"], query
        assert texts('"fox rechnung"') == texts('"pdf fox"') == []

    def test_text_that_is_taken_from_its_files_is_found_no_more(self) -> None:
        offset = say("holiday fox")
        attach("beach.png")
        fill_index()
        edits.edit_message(ROOM, offset, "", by=ANN)
        for _ in range(2):
            assert (texts("holiday"), texts("beach.png")) == ([], [""])
            fill_index()


def attach(*names: str) -> None:
    files = [Attachment(uuid4().hex, name, "application/pdf", 1).as_json() for name in names]
    models.Message.objects.update(attachments=files)


class TestFeeding:
    def test_messages_from_before_are_indexed_from_the_newest_on(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(search_feed, "FIRST_GAP", 0)
        monkeypatch.setattr("chat.storage.search_unindexed.UNINDEXED_MAX", 1)
        for number in range(10):
            say(f"fox {number}")
        search_feed.begin()
        counts = []
        while search_feed.feed(3) == 0:
            results = search.find(read("fox"), person=OTTER, size=50)
            counts.append((len(results.found), results.is_complete))
        assert counts[0] == (3, False)
        assert counts[-1] == (10, True)
        assert texts("fox") == [f"fox {number}" for number in range(9, -1, -1)]

    def test_keys_that_are_far_between_take_no_steps_of_their_own(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(search_feed, "FIRST_GAP", 0)
        for number in range(4):
            say(f"fox {number}")
        far = models.Message.objects.order_by("-pk")[0]
        models.Message.objects.filter(pk=far.pk).update(id=far.pk + 10**9)
        search_feed.begin()
        steps = 0
        while search_feed.feed(3) == 0 and steps < 10:
            steps += 1
        assert (entries(), steps) == (4, 2)

    def test_message_that_is_committed_late_is_indexed(self) -> None:
        say("first")
        late = models.Message.objects.get()
        say("second")
        models.Message.objects.filter(pk=late.pk).delete()  # as if it weren't committed yet
        fill_index()
        later(search_feed.GAP_LIFETIME / 2)
        late.save(force_insert=True)
        assert texts("first") == ["first"]
        later(search_feed.GAP_LIFETIME)
        assert entries() == 2

    def test_key_up_to_which_all_is_indexed_moves_on_after_a_while(self) -> None:
        search_feed.begin()
        say("fox")
        assert [search_feed.feed(), search_feed.feed()] == [0, pytest.approx(60, abs=5)]
        later(search_feed.GAP_LIFETIME)
        later(search_feed.GAP_LIFETIME * 2)
        assert models.SearchProgress.objects.get().high == models.Message.objects.get().pk

    def test_feed_takes_no_step_while_nothing_is_to_do(self) -> None:
        assert search_feed.feed() is None

    def test_command_indexes_everything_and_once_more(self) -> None:
        for number in range(5):
            say(f"fox {number}")
        for arguments in ([], ["--again"], []):
            output = StringIO()
            call_command("index_messages", *arguments, stdout=output)
            assert output.getvalue() == "All messages are indexed.\n"
            assert entries() == 5

    def test_triggers_come_back_with_a_migration(self) -> None:
        if connection.vendor == "sqlite":
            with connection.cursor() as cursor:
                cursor.execute("DROP TRIGGER chat_search_message_changed")
        call_command("migrate", verbosity=0)
        offset = say("fox")
        fill_index()
        delete(offset)
        assert entries() == 0


def later(passed: timedelta) -> None:
    with mock.patch("chat.storage.search_feed.timezone.now", return_value=timezone.now() + passed):
        fill_index()

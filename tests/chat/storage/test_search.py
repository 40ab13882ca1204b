"""Search on a real database: what is found by which query, the same on SQLite and PostgreSQL, and by whom."""

from datetime import UTC, datetime
from unittest import mock

import pytest
from django.contrib.auth.models import User

from chat.domain import people
from chat.domain.people import Person
from chat.domain.rooms import Room, find
from chat.domain.search import read
from chat.storage import log, search, search_feed

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
    # What databases would cut in ways of their own
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
    # What databases would read as their own language
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

"""The index of what was said: for each message that can be found, its terms, under its primary key.

It is a table of its own, `chat_search`: FTS5 in SQLite, a tsvector with a GIN index in PostgreSQL. Terms are made in
Python, by `chat.domain.search_terms`. Beside those of the text an entry has tags, which begin with `#`, as no word
does: its room, its author by name and by account, and in PostgreSQL the bucket of its key (see `search_postgresql`).

Posting doesn't write here, which would make it dearer. Messages are indexed in batches, by `feed`, and until then
search reads them one by one (`unindexed`), so they are found as soon as they are stored. Triggers take an entry out in
the transaction in which its message gets another text, is deleted or goes, whoever does that: an instance of an older
release, a shell. See docs/adr/0062.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from django.apps import AppConfig
from django.apps import apps as django_apps
from django.db import connection, transaction
from django.db.models.signals import post_migrate
from django.dispatch import receiver

from chat.domain.files import Attachment
from chat.domain.people import USER
from chat.domain.search_terms import joined, terms

BUCKET_BITS = 14  # a bucket is 16,384 keys
FILE_TAG = "#f"

# Made anew after each migration: SQLite loses them when Django makes the table of messages anew.
TRIGGERS = {
    "sqlite": [
        "DROP TRIGGER IF EXISTS chat_search_message_deleted",
        "DROP TRIGGER IF EXISTS chat_search_message_changed",
        """CREATE TRIGGER chat_search_message_deleted AFTER DELETE ON chat_message
            BEGIN DELETE FROM chat_search WHERE rowid = old.id; END""",
        """CREATE TRIGGER chat_search_message_changed
            AFTER UPDATE OF text, deletion, attachments, person_name ON chat_message
            WHEN new.text <> old.text OR new.deletion IS NOT old.deletion
                OR new.attachments IS NOT old.attachments OR new.person_name <> old.person_name
            BEGIN
                DELETE FROM chat_search WHERE rowid = old.id;
                INSERT OR IGNORE INTO chat_searchpending (message_id) SELECT new.id WHERE new.deletion IS NULL;
            END""",
    ],
    "postgresql": [
        """CREATE OR REPLACE FUNCTION chat_search_forget() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                DELETE FROM chat_search WHERE id = OLD.id;
                IF TG_OP = 'UPDATE' THEN
                    INSERT INTO chat_searchpending (message_id) SELECT NEW.id WHERE NEW.deletion IS NULL
                        ON CONFLICT DO NOTHING;
                END IF;
                RETURN NULL;
            END $$""",
        """CREATE OR REPLACE FUNCTION chat_search_forget_all() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                TRUNCATE chat_search;
                RETURN NULL;
            END $$""",
        """CREATE OR REPLACE TRIGGER chat_search_message_deleted AFTER DELETE ON chat_message
            FOR EACH ROW EXECUTE FUNCTION chat_search_forget()""",
        """CREATE OR REPLACE TRIGGER chat_search_message_changed
            AFTER UPDATE OF text, deletion, attachments, person_name ON chat_message
            FOR EACH ROW WHEN (NEW.text <> OLD.text OR NEW.deletion IS DISTINCT FROM OLD.deletion
                OR NEW.attachments IS DISTINCT FROM OLD.attachments OR NEW.person_name <> OLD.person_name)
            EXECUTE FUNCTION chat_search_forget()""",
        """CREATE OR REPLACE TRIGGER chat_search_messages_emptied AFTER TRUNCATE ON chat_message
            FOR EACH STATEMENT EXECUTE FUNCTION chat_search_forget_all()""",
    ],
}
KEY = {"sqlite": "rowid", "postgresql": "id"}
INSERT = {
    "sqlite": "INSERT INTO chat_search (rowid, terms) VALUES (%s, %s)",
    "postgresql": """
        INSERT INTO chat_search (id, room_id, terms)
        SELECT id, room_id, CAST(terms AS tsvector)
        FROM json_to_recordset(%s) AS new (id bigint, room_id bigint, terms text) ON CONFLICT DO NOTHING
    """,
}
# Messages that can be found and aren't indexed.
SELECT_UNINDEXED = """
    SELECT message.id, message.room_id, message.text, message.person_id, message.person_name, message.attachments
    FROM chat_message AS message
    WHERE {{which}} AND message.kind = 'message' AND message.deletion IS NULL
        AND NOT EXISTS (SELECT 1 FROM chat_search WHERE chat_search.{key} = message.id)
"""


class Written(NamedTuple):
    """A message as it is indexed."""

    id: int
    room_id: int
    text: str
    person_id: str
    person_name: str
    attachments: str | None
    """JSON, as the database has it."""

    @property
    def terms(self) -> list[str]:
        """Those of the text, and those of each file's name after a tag, so that no phrase is in two of them."""
        found = terms(self.text)
        if self.attachments:
            for attachment in Attachment.all_from_json(json.loads(self.attachments)):
                found += [FILE_TAG, *terms(attachment.name)]
        return found

    @property
    def tags(self) -> list[str]:
        tags = [room_tag(self.room_id)]
        if name := joined(self.person_name):
            tags.append(name_tag(name))
        if self.person_id.startswith(USER):
            tags.append(user_tag(self.person_id))
        return tags


def room_tag(room_id: int) -> str:
    return f"#r{room_id}"


def name_tag(name: str) -> str:
    return f"#n{joined(name)}"


def user_tag(person_id: str) -> str:
    return f"#u{joined(person_id.removeprefix(USER))}"


def unindexed(which: str) -> str:
    """The statement that reads the messages that aren't indexed; `which` is a condition on `message`."""
    return SELECT_UNINDEXED.format(key=KEY[connection.vendor]).format(which=which)


def read(statement: str, values: Sequence[Any]) -> list[Written]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return [Written(*row) for row in cursor.fetchall()]


def put(messages: Iterable[Written]) -> None:
    """Indexes messages that aren't. One statement, or one for each on SQLite."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            rows = [(message.id, " ".join([*message.terms, *message.tags])) for message in messages]
            cursor.executemany(INSERT["sqlite"], rows)
        else:
            new = [{"id": one.id, "room_id": one.room_id, "terms": _tsvector(one)} for one in messages]
            cursor.execute(INSERT["postgresql"], [json.dumps(new)])


def _tsvector(message: Written) -> str:
    """In PostgreSQL's notation. No term has anything in it that would be read otherwise."""
    places = (f"{term}:{place}" for place, term in enumerate(message.terms, 1))
    return " ".join([*places, *message.tags, f"#b{message.id >> BUCKET_BITS}"])


@receiver(post_migrate)
def migrated(sender: AppConfig, apps: Any = django_apps, **_: Any) -> None:
    if sender.name == "chat" and "searchpending" in apps.all_models["chat"]:  # not where migrations were taken back
        with transaction.atomic(), connection.cursor() as cursor:
            for statement in TRIGGERS[connection.vendor]:
                cursor.execute(statement)

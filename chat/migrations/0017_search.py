"""The index of what was said, and how far it has come.

Messages from before are indexed by the running site, or by `manage.py index_messages`. The triggers that keep it right
are made after each migration, by chat.storage.search_index.
"""

from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

CREATE = {
    "sqlite": [
        """CREATE VIRTUAL TABLE chat_search USING fts5(
            terms, tokenize = "ascii tokenchars '#'", columnsize = 0, prefix = '2 3'
        )"""
    ],
    "postgresql": [
        "CREATE TABLE chat_search (id bigint PRIMARY KEY, room_id bigint NOT NULL, terms tsvector NOT NULL)",
        "CREATE INDEX chat_search_by_term ON chat_search USING gin (terms) WITH (fastupdate = off)",
    ],
}
FORGET = {
    "sqlite": [
        "DROP TRIGGER IF EXISTS chat_search_message_deleted",
        "DROP TRIGGER IF EXISTS chat_search_message_changed",
        "DROP TABLE chat_search",
    ],
    "postgresql": [
        "DROP FUNCTION IF EXISTS chat_search_forget CASCADE",
        "DROP FUNCTION IF EXISTS chat_search_forget_all CASCADE",
        "DROP TABLE chat_search",
    ],
}


def create(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    for statement in CREATE[editor.connection.vendor]:
        editor.execute(statement)


def forget(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    for statement in FORGET[editor.connection.vendor]:
        editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("chat", "0016_avatars")]

    operations = [
        migrations.CreateModel(
            name="SearchPending",
            fields=[("message_id", models.BigIntegerField(primary_key=True, serialize=False))],
        ),
        migrations.CreateModel(
            name="SearchProgress",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("low", models.BigIntegerField()),
                ("high", models.BigIntegerField()),
                ("coming_high", models.BigIntegerField()),
                ("coming_at", models.DateTimeField()),
            ],
        ),
        migrations.RunPython(create, forget),
    ]

from django.db import migrations, models

BY_ROOM = "chat_message_room_id_5e7d8d78"  # as Django names it, with every database


class Migration(migrations.Migration):
    """Drops two indexes of messages, since each of them costs a write for each message, in another place for each room.

    That by room alone: others begin with the room. That by age: to find the first message that isn't to be deleted,
    one goes through those that are.
    """

    dependencies = [("chat", "0007_conversation")]

    operations = [
        migrations.RemoveIndex("message", "message_by_age"),
        # By a statement: Django's way copies SQLite's whole table.
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    f"DROP INDEX IF EXISTS {BY_ROOM}",
                    f"CREATE INDEX IF NOT EXISTS {BY_ROOM} ON chat_message (room_id)",
                )
            ],
            state_operations=[
                migrations.AlterField(
                    "message",
                    "room",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=models.deletion.CASCADE,
                        related_name="messages",
                        to="chat.room",
                    ),
                )
            ],
        ),
    ]

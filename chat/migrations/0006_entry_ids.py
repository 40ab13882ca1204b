from django.db import migrations, models

import chat.models


class Migration(migrations.Migration):
    """An id of its own for each new entry.

    In two steps: a column that is added with a random default makes PostgreSQL write the whole table anew, while it is
    locked. Like this, rows that are there already get none, and nobody waits.
    """

    dependencies = [("chat", "0005_account_skeletons")]

    operations = [
        migrations.AddField(
            "message",
            "uid",
            models.UUIDField(null=True, editable=False, help_text="Its own for ever; rows from before have none."),
        ),
        migrations.AlterField(
            "message",
            "uid",
            models.UUIDField(
                null=True,
                db_default=chat.models.RandomId(),
                editable=False,
                help_text="Its own for ever; rows from before have none.",
            ),
        ),
    ]

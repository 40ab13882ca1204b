import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("chat", "0010_mentions"),
    ]

    operations = [
        migrations.CreateModel(
            name="MessageReaction",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("offset", models.PositiveBigIntegerField(help_text="The offset of the message.")),
                ("emoji", models.CharField(help_text="As chat.domain.emoji.clean_emoji.", max_length=32)),
                ("person_id", models.CharField(db_index=True, help_text="user-1, guest-4f…", max_length=100)),
                ("person_name", models.CharField(help_text="The name they had when they reacted.", max_length=150)),
                ("at", models.DateTimeField()),
                (
                    "room",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="reactions",
                        to="chat.room",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("room", "offset", "emoji", "person_id"), name="one_reaction_per_person"
                    )
                ],
            },
        ),
    ]

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """Rooms that limit posts, reports to moderators, and people who are ignored.

    The new columns of rooms have defaults in the database, since an instance of the release before writes rooms too.
    """

    dependencies = [
        ("chat", "0012_names_of_direct_rooms"),
    ]

    operations = [
        migrations.AddField(
            model_name="room",
            name="read_only",
            field=models.BooleanField(
                db_default=False, default=False, help_text="Only owners and moderators may post."
            ),
        ),
        migrations.AddField(
            model_name="room",
            name="slow_mode",
            field=models.PositiveIntegerField(
                db_default=0,
                default=0,
                help_text="Seconds from one message of a person to their next; 0 is as they like.",
            ),
        ),
        migrations.CreateModel(
            name="IgnoredPerson",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("person_id", models.CharField(help_text="The person who ignores: user-1, guest-4f…", max_length=100)),
                ("ignored_id", models.CharField(db_index=True, help_text="The person who is ignored.", max_length=100)),
                ("ignored_name", models.CharField(help_text="The name they had then.", max_length=150)),
                ("at", models.DateTimeField()),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("person_id", "ignored_id"), name="ignored_once")],
            },
        ),
        migrations.CreateModel(
            name="LastPost",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("person_id", models.CharField(help_text="user-1, guest-4f…", max_length=100)),
                ("at", models.DateTimeField()),
                (
                    "room",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="last_posts",
                        to="chat.room",
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("room", "person_id"), name="one_last_post_per_person")],
            },
        ),
        migrations.CreateModel(
            name="Report",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("offset", models.PositiveBigIntegerField(help_text="The offset of the message.")),
                (
                    "person_id",
                    models.CharField(db_index=True, help_text="The reporter: user-1, guest-4f…", max_length=100),
                ),
                ("person_name", models.CharField(help_text="The name they had when they reported it.", max_length=150)),
                ("reason", models.TextField(blank=True)),
                ("at", models.DateTimeField()),
                (
                    "room",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="reports",
                        to="chat.room",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["room", "-id"], name="report_by_room")],
                "constraints": [
                    models.UniqueConstraint(fields=("room", "offset", "person_id"), name="one_report_per_person")
                ],
            },
        ),
    ]

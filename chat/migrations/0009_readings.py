from typing import Any

from django.db import migrations, models
from django.db.models import F, FilteredRelation, Q
from django.db.models.functions import Now, TruncMinute
from django.utils import timezone

from chat.domain.rooms import folded

BATCH_SIZE = 1000  # rooms


def describe_rooms(apps: Any, schema_editor: Any) -> None:
    """Gives rooms that are there already the time at which something was last said, and the name to search by."""
    rooms = apps.get_model("chat", "Room").objects
    last = FilteredRelation("messages", condition=Q(messages__offset=F("last_offset")))
    known = rooms.annotate(last=last).annotate(said_at=TruncMinute("last__sent_at")).only("pk", "name", "active_at")
    first = 0
    while batch := list(known.filter(pk__gt=first).order_by("pk")[:BATCH_SIZE]):
        for room in batch:
            room.search_name = folded(room.name)
            room.active_at = room.said_at or room.active_at
        rooms.bulk_update(batch, ["search_name", "active_at"])
        first = batch[-1].pk


def list_members_rooms(apps: Any, schema_editor: Any) -> None:
    """Members have the rooms that they belong to among theirs, with all read that was said before."""
    readings = apps.get_model("chat", "Reading").objects
    members = apps.get_model("chat", "RoomMember").objects.values_list("user_id", "room__name", "room__last_offset")
    now = timezone.now()
    batch = []
    for user_id, room_name, last_offset in members.iterator(BATCH_SIZE):
        reading = {"person_id": f"user-{user_id}", "room_name": room_name, "read_offset": last_offset}
        batch.append(readings.model(**reading, entered_at=now))
        if len(batch) == BATCH_SIZE:
            readings.bulk_create(batch, ignore_conflicts=True)
            batch = []
    readings.bulk_create(batch, ignore_conflicts=True)


class Migration(migrations.Migration):
    """How far people have read their rooms; and what the directory of rooms is sorted and searched by.

    The new columns of rooms have defaults in the database, since an instance of the release before writes rooms too.
    """

    dependencies = [("chat", "0008_fewer_indexes")]

    operations = [
        migrations.CreateModel(
            name="Reading",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("person_id", models.CharField(help_text="user-1, guest-4f…", max_length=100)),
                ("room_name", models.CharField(max_length=100)),
                (
                    "read_offset",
                    models.PositiveBigIntegerField(db_default=0, help_text="The last entry that they have read."),
                ),
                (
                    "involvement",
                    models.CharField(
                        choices=[("all", "All"), ("mentions", "Mentions"), ("nothing", "Nothing")],
                        db_default="all",
                        max_length=10,
                    ),
                ),
                ("entered_at", models.DateTimeField(help_text="When they last opened the room.")),
                ("changes", models.PositiveBigIntegerField(db_default=0, help_text="How often this was changed.")),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("person_id", "room_name"), name="one_reading_per_room")
                ],
            },
        ),
        migrations.AddField(
            "room", "active_at", models.DateTimeField(db_default=Now(), help_text="The minute of the last entry.")
        ),
        migrations.AddField(
            "room",
            "search_name",
            models.TextField(blank=True, db_default="", help_text="As chat.domain.rooms.folded."),
        ),
        migrations.RunPython(describe_rooms, migrations.RunPython.noop),
        migrations.RunPython(list_members_rooms, migrations.RunPython.noop),
        migrations.AddIndex(
            "room",
            models.Index(
                fields=["-active_at"], name="public_room_by_activity", condition=models.Q(("is_private", False))
            ),
        ),
    ]

import uuid

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("chat", "0014_profiles"),
    ]

    operations = [
        migrations.CreateModel(
            name="FileUsage",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "key",
                    models.CharField(
                        help_text="“site”, or “2026-01-31 user-1”, a day in UTC.", max_length=150, unique=True
                    ),
                ),
                ("bytes", models.BigIntegerField()),
            ],
        ),
        migrations.AddField(
            model_name="message",
            name="attachments",
            field=models.JSONField(help_text="The files of the message, as Attachment.as_json.", null=True),
        ),
        migrations.CreateModel(
            name="Attachment",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "room_name",
                    models.CharField(help_text="A room has a row once something is said there.", max_length=100),
                ),
                (
                    "offset",
                    models.PositiveBigIntegerField(
                        help_text="The offset of the message; null while there is none.", null=True
                    ),
                ),
                ("person_id", models.CharField(help_text="The uploader: user-1, guest-4f…", max_length=100)),
                (
                    "name",
                    models.CharField(
                        db_default="",
                        help_text="As chat.domain.files.clean_file_name; 255 bytes at most.",
                        max_length=255,
                    ),
                ),
                (
                    "type",
                    models.CharField(
                        help_text="By the content; application/octet-stream unless it is shown.", max_length=100
                    ),
                ),
                (
                    "size",
                    models.PositiveBigIntegerField(
                        help_text="Bytes; while it is being uploaded, so many as are announced."
                    ),
                ),
                (
                    "preview_width",
                    models.PositiveIntegerField(help_text="Pixels; null where there is no preview.", null=True),
                ),
                ("preview_height", models.PositiveIntegerField(null=True)),
                (
                    "state",
                    models.CharField(
                        choices=[("uploading", "Uploading"), ("ready", "Ready"), ("gone", "Gone")],
                        default="uploading",
                        max_length=10,
                    ),
                ),
                ("created_at", models.DateTimeField()),
                (
                    "room",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="attachments",
                        to="chat.room",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("offset__isnull", False)),
                        fields=["room", "offset"],
                        name="attachment_by_message",
                    ),
                    models.Index(
                        condition=models.Q(("offset__isnull", True)), fields=["created_at"], name="unattached_by_age"
                    ),
                    models.Index(condition=models.Q(("state", "gone")), fields=["id"], name="attachment_gone"),
                ],
            },
        ),
    ]

import uuid

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("chat", "0018_push"),
    ]

    operations = [
        migrations.CreateModel(
            name="LinkPreview",
            fields=[
                (
                    "key",
                    models.CharField(
                        help_text="As chat.domain.links.key_of the URL.",
                        max_length=64,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("url", models.TextField()),
                (
                    "claimed_at",
                    models.DateTimeField(help_text="When a process began to ask; null once it is done.", null=True),
                ),
                (
                    "fetched_at",
                    models.DateTimeField(help_text="When it was asked last; null before the first answer.", null=True),
                ),
                ("found", models.BooleanField(db_default=False, default=False)),
                ("title", models.TextField(blank=True, db_default="", default="")),
                ("description", models.TextField(blank=True, db_default="", default="")),
                ("site_name", models.TextField(blank=True, db_default="", default="")),
                (
                    "picture_id",
                    models.UUIDField(
                        default=uuid.uuid4, help_text="Of its picture's file. It stays, as messages name it."
                    ),
                ),
                (
                    "picture_width",
                    models.PositiveIntegerField(help_text="In pixels; null where it has no picture.", null=True),
                ),
                ("picture_height", models.PositiveIntegerField(null=True)),
                (
                    "used_at",
                    models.DateTimeField(db_index=True, help_text="When a message that links to it was stored last."),
                ),
            ],
        ),
        migrations.AddField(
            model_name="message",
            name="links",
            field=models.JSONField(help_text="What is shown of the pages it links to, as Link.as_json.", null=True),
        ),
        migrations.AddField(
            model_name="room",
            name="link_previews",
            field=models.BooleanField(
                help_text="Whether previews of links are shown; null: in public rooms, not in private ones.", null=True
            ),
        ),
    ]

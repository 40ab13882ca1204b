import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

USER = {"db_constraint": False, "on_delete": django.db.models.deletion.CASCADE, "to": settings.AUTH_USER_MODEL}
TEXT = {"blank": True, "db_default": "", "default": ""}


class Migration(migrations.Migration):
    dependencies = [
        ("chat", "0013_posting_limits_reports_and_ignoring"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Profile",
            fields=[
                (
                    "user",
                    models.OneToOneField(primary_key=True, related_name="chat_profile", serialize=False, **USER),
                ),
                ("display_name", models.CharField(max_length=40, **TEXT)),
                ("about", models.CharField(max_length=160, **TEXT)),
                ("time_zone", models.CharField(help_text="Europe/Berlin", max_length=100, **TEXT)),
            ],
        ),
        migrations.CreateModel(
            name="DisplayNameSkeleton",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("skeleton", models.CharField(max_length=200, unique=True)),
                ("user", models.ForeignKey(related_name="chat_display_skeletons", **USER)),
            ],
        ),
    ]

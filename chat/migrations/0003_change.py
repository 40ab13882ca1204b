from django.db import migrations, models


class Migration(migrations.Migration):
    """A name for the field that says what it is. The column keeps its own, for instances of the version before."""

    dependencies = [("chat", "0002_roles_bans_and_deletions")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RenameField("message", "access", "change"),
                migrations.AlterField(
                    "message",
                    "change",
                    models.CharField(
                        blank=True,
                        db_column="access",
                        db_default="",
                        default="",
                        help_text="Of a notice: as chat.domain.events.Change.",
                        max_length=10,
                    ),
                ),
            ]
        )
    ]

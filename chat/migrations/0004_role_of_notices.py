from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("chat", "0003_change"),
    ]

    operations = [
        migrations.AddField(
            model_name="message",
            name="role",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="Of a notice: the subject's role after it, as chat.domain.events.NewRole.",
                max_length=10,
            ),
        ),
    ]

from django.db import migrations

# Names that begin with "@" are those of direct rooms from now on. A room that was called so before can't be entered by
# that name any more: without members, it is listed to nobody.
CLOSE = "UPDATE chat_room SET is_private = %s, restricted = %s WHERE name LIKE %s"


class Migration(migrations.Migration):
    dependencies = [
        ("chat", "0011_reactions"),
    ]

    operations = [
        migrations.RunSQL([(CLOSE, [True, True, "@%"])], reverse_sql=migrations.RunSQL.noop),
    ]

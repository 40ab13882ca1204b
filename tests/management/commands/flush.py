"""`flush`, which Django calls after each test that commits."""

from typing import Any

from django.core.management.commands import flush
from django.db import connections, transaction

# Migrations fill these, and have all that tests may find there.
KEPT = {"auth_permission", "django_content_type"}
# Rows. Of more, PostgreSQL would keep remains that slow down the tests to come; TRUNCATE leaves none, and takes longer.
MANY = 500


class Command(flush.Command):
    """Empties the tables that have rows.

    Django's own empties all of them and makes content types and permissions anew, which took more time than most tests.
    """

    def handle(self, **options: Any) -> None:
        connection = connections[options["database"]]
        names = connection.introspection.django_table_names(only_existing=True, include_views=False)
        tables = {name: connection.ops.quote_name(name) for name in names if name not in KEPT}
        filled = [
            f"SELECT '{name}', EXISTS (SELECT 1 FROM {quoted} LIMIT 1 OFFSET {MANY})"
            f" WHERE EXISTS (SELECT 1 FROM {quoted})"
            for name, quoted in tables.items()
        ]
        # Constraints are looked at when the transaction ends, so the order doesn't matter.
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            cursor.execute(" UNION ALL ".join(filled))
            found = {tables[name]: are_many for name, are_many in cursor.fetchall()}
            large = [table for table, are_many in found.items() if are_many and connection.vendor == "postgresql"]
            if large:
                cursor.execute(f"TRUNCATE {', '.join(large)} CASCADE")
            for table in found.keys() - large:
                cursor.execute(f"DELETE FROM {table}")

"""`manage.py send_digests`: tells people by e-mail of what they haven't read for long. To be run every hour or so."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from chat.actions import digests


class Command(BaseCommand):
    help = "Sends digests by e-mail to those who want them: at most one a day, after CHAT_DIGEST_AFTER hours."

    def handle(self, *args: Any, **options: Any) -> None:
        sent, failed = digests.send_due()
        self.stdout.write(f"Sent {sent:,} digests.")
        if failed:
            raise CommandError(f"{failed:,} could not be sent. They are tried again next time.")

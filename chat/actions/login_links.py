"""E-mails with a link that logs in.

The page answers before anything is looked up, so that neither the answer nor its time tells whether
an address is somebody's. The e-mails are then sent a few at a time, in threads of their own: a mail server may be slow.
"""

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from chat.actions.inviting import may_register
from chat.delivery.detached_tasks import DetachedTasks
from chat.domain.login_links import LASTS, LinkRequest
from chat.errors import Unavailable
from chat.per_loop import PerLoop
from chat.storage import login_links
from chat.storage.database import in_database, is_waited_for
from chat.storage.login_links import SentLink

AT_ONCE = 2  # e-mails that are being sent
WAITING_MAX = 200  # requests that wait for that, before more of them are refused

logger = logging.getLogger(__name__)


class LinkMailing(PerLoop):
    """Sends the e-mails that were asked for at the pages of one event loop."""

    def __init__(self) -> None:
        self._waiting = 0
        self._free = asyncio.Semaphore(AT_ONCE)
        self._threads = ThreadPoolExecutor(AT_ONCE, "login-links")

    def start(self, request: LinkRequest) -> None:
        """Raises Unavailable where too many wait."""
        if self._waiting >= WAITING_MAX:
            raise Unavailable(_("The e-mail can’t be sent just now."))
        self._waiting += 1
        DetachedTasks.here().start(self._work(request))

    async def _work(self, request: LinkRequest) -> None:
        try:
            async with self._free:
                await self.send(request)
        except Unavailable:
            pass  # which is logged where it is found
        finally:
            self._waiting -= 1

    async def send(self, request: LinkRequest) -> None:
        loop = asyncio.get_running_loop()
        for link in await in_database(login_links.create, request=request, may_register=may_register()):
            try:
                await loop.run_in_executor(self._threads, made(link).send)
            except OSError as error:  # of which those of SMTP are some
                logger.error("Can't send a link that logs in: %s", type(error).__name__)


async def ask(request: LinkRequest) -> None:
    """Has the address sent links to its accounts, if it has some. Raises Unavailable where too many ask.

    While a thread waits for the event loop, as one of a test does, it is sent at once: the loop ends after that.
    """
    mailing = LinkMailing.here()
    if is_waited_for():
        await mailing.send(request)
    else:
        mailing.start(request)


def made(link: SentLink) -> EmailMultiAlternatives:
    """The e-mail, in the person's language."""
    with translation.override(link.language or settings.LANGUAGE_CODE):
        context = {
            "person": link.person,
            "link": settings.CHAT_SITE_URL + reverse("login_link", args=[link.secret]),
            "site": urlsplit(settings.CHAT_SITE_URL).netloc,
            "minutes": int(LASTS.total_seconds() // 60),
        }
        subject = (_("Log in to {site}") if link.person else _("Sign up at {site}")).format(site=context["site"])
        template = "email/login_link" if link.person else "email/sign_up_link"
        mail = EmailMultiAlternatives(subject, render_to_string(f"{template}.txt", context), to=[link.email])
        mail.attach_alternative(render_to_string(f"{template}.html", context), "text/html")
    mail.extra_headers = {"Auto-Submitted": "auto-generated"}
    return mail

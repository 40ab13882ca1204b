"""E-mails to people: digests of what they haven't read for long, and the question whether an address is theirs."""

import logging
from datetime import timedelta

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from chat.domain.mail_links import MailLink, Purpose, token
from chat.domain.people import USER, Person
from chat.models import Detail
from chat.storage import digests, notification_choices
from chat.storage.digests import Digest
from chat.storage.notification_choices import Choice

logger = logging.getLogger(__name__)


def send_due() -> tuple[int, int]:
    """Sends all digests that are due. Returns how many were sent, and how many failed; these are tried again."""
    sent = failed = 0
    for user_id in digests.candidates():
        digest = digests.begin(user_id, after=timedelta(hours=settings.CHAT_DIGEST_AFTER))
        if digest is None:
            continue
        try:
            made(digest).send()
        except OSError as error:  # of which those of SMTP are some
            logger.error("Can't send a digest: %s", type(error).__name__)
            digests.undo(digest)
            failed += 1
        else:
            digests.finish(digest)
            sent += 1
    return sent, failed


def made(digest: Digest) -> EmailMultiAlternatives:
    """The e-mail, in the person's language; with what was written, if they allow that."""
    with translation.override(digest.language or settings.LANGUAGE_CODE):
        count = sum(alert.count for alert in digest.alerts)
        unsubscribe = _link(MailLink(digest.person.id, digest.email), Purpose.UNSUBSCRIBE)
        with_text = digest.detail is Detail.TEXT
        told = [
            {
                "title": alert.title,
                "summary": alert.summary(with_text=with_text),
                "url": settings.CHAT_SITE_URL + alert.path,
            }
            for alert in digest.alerts
        ]
        context = {"person": digest.person, "told": told, "count": count, "unsubscribe": unsubscribe}
        context["settings"] = settings.CHAT_SITE_URL + reverse("notifications")
        subject = ngettext("{count} unread message", "{count} unread messages", count).format(count=count)
        mail = EmailMultiAlternatives(subject, render_to_string("email/digest.txt", context), to=[digest.email])
        mail.attach_alternative(render_to_string("email/digest.html", context), "text/html")
    mail.extra_headers = {
        "List-Unsubscribe": f"<{unsubscribe}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "Auto-Submitted": "auto-generated",
    }
    return mail


def ask_to_confirm(person: Person, choice: Choice) -> None:
    """Sends an e-mail that asks whether the address is the person's. Raises OSError."""
    with translation.override(choice.language or settings.LANGUAGE_CODE):
        link = _link(MailLink(person.id, choice.email), Purpose.CONFIRM)
        text = render_to_string(
            "email/confirm.txt", {"person": person, "link": link, "logs_in": settings.CHAT_LOGIN_LINKS}
        )
        mail = EmailMultiAlternatives(_("Is this your e-mail address?"), text, to=[choice.email])
    mail.extra_headers = {"Auto-Submitted": "auto-generated"}
    mail.send()


def tell_of_another_address(person: Person, before: Choice) -> None:
    """Tells the person, at the address that logged in to their account, that it doesn't any more. Raises OSError."""
    with translation.override(before.language or settings.LANGUAGE_CODE):
        context = {"person": person, "site": settings.CHAT_SITE_URL}
        text = render_to_string("email/another_address.txt", context)
        mail = EmailMultiAlternatives(_("Your account has another e-mail address"), text, to=[before.email])
    mail.extra_headers = {"Auto-Submitted": "auto-generated"}
    mail.send()


def follow(link: MailLink, purpose: Purpose) -> None:
    """Does what a link in an e-mail is for, if the address is still that of the person."""
    if not link.person_id.startswith(USER):
        return
    person = Person(link.person_id, "")
    if purpose is Purpose.CONFIRM:
        notification_choices.confirm(person, email=link.email)
    else:
        notification_choices.end_digests(person, email=link.email)


def _link(link: MailLink, purpose: Purpose) -> str:
    name = "confirm_email" if purpose is Purpose.CONFIRM else "unsubscribe"
    return settings.CHAT_SITE_URL + reverse(name, args=[token(link, purpose)])

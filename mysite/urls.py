"""HTTP: everything but GraphQL, which `mysite.asgi` routes before Django is asked."""

from http import HTTPStatus

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.views import LogoutView
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import include, path
from django.views.defaults import ERROR_PAGE_TEMPLATE
from django.views.generic import RedirectView
from django.views.i18n import set_language

from chat.account_views import GuestNameView, SignUpView, me
from chat.audit_views import AuditView
from chat.avatar_views import AvatarView, avatar
from chat.bot_views import BotsView
from chat.direct_views import DirectRoomView
from chat.domain.mail_links import Purpose
from chat.ignored_views import IgnoredView
from chat.invitation_views import InvitationsView, InvitationView
from chat.login_views import AdminLogInView, AskLinkView, LinkView, LogInView
from chat.mail_views import MailLinkView
from chat.member_views import MembersView, NewRoomView
from chat.notification_views import DevicesView, NotificationsView
from chat.people_views import EditProfileView, profile, profile_by_id
from chat.provider_views import FromProviderView, ToProviderView
from chat.script_texts import script_texts
from chat.search_views import search_page
from chat.site_views import site_page, site_state
from chat.token_views import BotTokensView, TokensView
from chat.webhook_views import WebhooksView, WebhookView


def _page(request: HttpRequest, template: str, status: HTTPStatus) -> HttpResponse:
    """Gives back the connection that the page opens to ask whose request it is.

    Django makes most of these pages in a thread that stays when the request is over, and would keep it.
    """
    was_open = connection.connection is not None
    try:
        return render(request, template, status=status)
    finally:
        if not was_open:
            connection.close()


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _page(request, "403.html", HTTPStatus.FORBIDDEN)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's own looks at the request's body, for a token that our page has no use for, and fails if it is none."""
    return _page(request, "404.html", HTTPStatus.NOT_FOUND)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's own looks at the body as well, which may be the very thing that can't be read."""
    return HttpResponse(ERROR_PAGE_TEMPLATE % {"title": "Bad Request (400)", "details": ""}, status=400)


handler400 = bad_request
handler403 = forbidden
handler404 = not_found
handler500 = "mysite.server_errors.server_error"

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="chat:index")),
    path("chat/", include("chat.urls")),
    path("search/", search_page, name="search"),
    path("rooms/new/", NewRoomView.as_view(), name="room_new"),
    path("rooms/direct/", DirectRoomView.as_view(), name="room_direct"),
    path("rooms/members/", MembersView.as_view(), name="room_members"),
    path("rooms/audit/", AuditView.as_view(), name="audit"),
    path("rooms/invitations/", InvitationsView.as_view(), name="invitations"),
    path("invitations/<str:secret>/", InvitationView.as_view(), name="invitation"),
    path("rooms/bots/", BotsView.as_view(), name="bots"),
    path("rooms/bots/tokens/", BotTokensView.as_view(), name="bot_tokens"),
    path("rooms/webhooks/", WebhooksView.as_view(), name="webhooks"),
    path("rooms/webhooks/<int:webhook_id>/", WebhookView.as_view(), name="webhook"),
    path("accounts/login/", LogInView.as_view(), name="login"),
    path("accounts/login/link/", AskLinkView.as_view(), name="ask_login_link"),
    path("accounts/login/link/<str:secret>/", LinkView.as_view(), name="login_link"),
    path("accounts/login/provider/", ToProviderView.as_view(), name="to_provider"),
    path("accounts/login/provider/callback/", FromProviderView.as_view(), name="from_provider"),
    path("accounts/logout/", LogoutView.as_view(), name="logout"),
    path("accounts/signup/", SignUpView.as_view(), name="signup"),
    path("accounts/me/", me, name="me"),  # /chat/me/ would be a room's
    path("accounts/profile/", EditProfileView.as_view(), name="edit_profile"),
    path("accounts/picture/", AvatarView.as_view(), name="edit_avatar"),
    path("accounts/name/", GuestNameView.as_view(), name="guest_name"),
    path("accounts/notifications/", NotificationsView.as_view(), name="notifications"),
    path("accounts/notifications/devices/", DevicesView.as_view(), name="notification_devices"),
    path(
        "accounts/notifications/confirm/<str:token>/",
        MailLinkView.as_view(purpose=Purpose.CONFIRM),
        name="confirm_email",
    ),
    path(
        "accounts/notifications/unsubscribe/<str:token>/",
        MailLinkView.as_view(purpose=Purpose.UNSUBSCRIBE),
        name="unsubscribe",
    ),
    path("accounts/tokens/", TokensView.as_view(), name="tokens"),
    path("accounts/ignored/", IgnoredView.as_view(), name="ignored"),
    path("language/", set_language, name="set_language"),
    path("people/id/<person_id>/", profile_by_id, name="profile_by_id"),  # where a user is known by their id alone
    path("people/id/<person_id>/avatar", avatar, name="avatar"),
    path("people/<any_text:username>/", profile, name="profile"),
    path("language/<slug:language>.js", script_texts, name="script_texts"),
    path("admin/site/", admin.site.admin_view(site_page), name="site_status"),
    path("admin/site/state/", admin.site.admin_view(site_state), name="site_state"),
    path("admin/login/", AdminLogInView.as_view(), name="admin_login"),
    path("admin/", admin.site.urls),
    # Browsers ask for this where a page names no icon, as the admin's pages don't.
    path("favicon.ico", RedirectView.as_view(url=f"{settings.STATIC_URL}favicon.svg")),
]

if "django_browser_reload" in settings.INSTALLED_APPS:
    urlpatterns.append(path("__reload__/", include("django_browser_reload.urls")))

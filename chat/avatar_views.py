"""Avatars: showing them, and the page's form to change one's own."""

from http import HTTPStatus
from typing import Any

from asgiref.sync import async_to_sync
from django import forms
from django.conf import settings
from django.contrib.auth.mixins import LoginRequiredMixin
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext_lazy as _
from django.views.generic import FormView

from chat.actions import avatars as actions
from chat.domain import people
from chat.domain.avatars import version_of
from chat.errors import ChatError
from chat.file_errors import FileTooLarge
from chat.storage import avatars
from chat.token_pages import answers_tokens
from chat.views import guests_if_allowed

KEPT_FOR = 365 * 24 * 3600  # seconds, by browsers; the address of another picture is another
ASKED_AGAIN_AFTER = 60  # seconds, for an address that names no picture in particular


@answers_tokens
@guests_if_allowed
def avatar(request: HttpRequest, person_id: str) -> HttpResponse:
    """The avatar of a person: the one that `v` names, or else the one they have. 204 where there is none.

    That is no error: pages ask for people of whom they know nothing but the id.
    """
    found = avatars.of(person_id)
    wanted = request.GET.get("v", "")
    is_lasting = found and wanted == version_of(found)
    try:
        content = avatars.read(found) if found and (is_lasting or not wanted) else None
    except OSError:
        content, is_lasting = None, False
    # Said here and not by the page, so that `chat.user_pages` leaves it: a picture of a person is no page of a user's.
    kept = f"private, max-age={KEPT_FOR}, immutable" if is_lasting else f"private, max-age={ASKED_AGAIN_AFTER}"
    headers = {"Cache-Control": kept, "X-Content-Type-Options": "nosniff"}
    if content is None:
        return HttpResponse(status=HTTPStatus.NO_CONTENT, headers=headers)
    return HttpResponse(content, content_type="image/webp", headers=headers)


class AvatarForm(forms.Form):
    picture = forms.FileField(
        label=_("Picture"),
        required=False,
        allow_empty_file=True,  # the picture process says what is wrong with it
        help_text=_("JPEG, PNG, GIF or WebP. It is cut to a square, and where it was taken is removed."),
        widget=forms.FileInput(attrs={"accept": "image/jpeg,image/png,image/gif,image/webp"}),
    )
    remove = forms.BooleanField(required=False)

    def clean_picture(self) -> "UploadedFile[bytes] | None":
        picture: UploadedFile[bytes] | None = self.cleaned_data["picture"]
        if picture and (picture.size or 0) > settings.CHAT_FILE_SIZE:
            raise forms.ValidationError(str(FileTooLarge(settings.CHAT_FILE_SIZE)))
        return picture


class AvatarView(LoginRequiredMixin, FormView):
    """Changes or removes the avatar of the person who asks."""

    template_name = "people/avatar.html"
    form_class = AvatarForm

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        id = people.of_request(self.request).id
        return super().get_context_data(avatar=avatars.paths([id]).get(id), **kwargs)

    def form_valid(self, form: AvatarForm) -> HttpResponse:
        by = people.of_request(self.request)
        picture = form.cleaned_data["picture"]
        try:
            if form.cleaned_data["remove"]:
                async_to_sync(actions.remove)(by=by)
            elif picture is None:
                form.add_error("picture", _("Choose a picture."))
                return self.form_invalid(form)
            else:
                async_to_sync(actions.change)(picture.chunks(), by=by)
        except ChatError as error:
            form.add_error("picture", str(error))
            return self.form_invalid(form)
        return HttpResponseRedirect(by.profile_path or "/")

"""The texts of the pages' scripts, and that all of them are translated."""

import gettext
import json
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse

SCRIPTS = sorted(Path(settings.BASE_DIR, "static", "chat").rglob("*.js"))
DEFINED = Path(settings.BASE_DIR, "static", "chat", "translation.js")
STRING = r'"((?:[^"\\]|\\.)*)"'
CALL = re.compile(rf"(?<![\w.?#])(gettext|ngettext|pgettext)\(\s*({STRING})?(?:,\s*({STRING}))?")
LANGUAGES = [code for code, _ in settings.LANGUAGES if code != "en"]


def texts() -> dict[str, str | None]:
    """The texts of all scripts; as values, the plurals of those that have one."""
    found: dict[str, str | None] = {}
    for script in SCRIPTS:
        if script == DEFINED:
            continue
        for call in CALL.finditer(script.read_text()):
            assert call[2], f"{script.name}: make messages finds literals alone: {call[0]}"
            first, second = json.loads(call[2]), json.loads(call[4]) if call[4] else None
            match call[1]:
                case "gettext":
                    found[first] = None
                case "ngettext":
                    found[first] = second
                case "pgettext":
                    found[f"{first}\x04{second}"] = None
    return found


def catalog(language: str) -> dict:
    """The texts of a compiled catalogue, or pairs of a text and the number of a plural form, and their translations."""
    file = Path(settings.BASE_DIR, "locale", language, "LC_MESSAGES", "djangojs.mo")
    with file.open("rb") as compiled:
        return gettext.GNUTranslations(compiled)._catalog


@pytest.mark.parametrize("language", LANGUAGES)
def test_catalog_of_scripts_has_each_text_and_no_other(language: str) -> None:
    translated = {key[0] if isinstance(key, tuple) else key for key in catalog(language) if key}
    assert translated == set(texts())


@pytest.mark.parametrize("language", LANGUAGES)
def test_catalog_of_scripts_has_a_text_and_the_same_places_in_each_form(language: str) -> None:
    plurals = texts()
    for key, translation in catalog(language).items():
        if not key:
            continue
        text, form = key if isinstance(key, tuple) else (key, None)
        places = set(re.findall(r"%\(\w+\)s", plurals[text] or text))
        missing = places - set(re.findall(r"%\(\w+\)s", translation))
        assert translation, text
        assert missing <= ({"%(count)s"} if form == 0 else set()), f"{translation}: {missing}"


def test_script_of_a_language_has_its_texts(client: Client) -> None:
    german = client.get(reverse("script_texts", args=["de"]))
    assert german.headers["Content-Type"] == 'text/javascript; charset="utf-8"'
    assert german.headers["Content-Language"] == "de"
    assert '"Reply": "Antworten"' in german.content.decode()
    english = client.get(reverse("script_texts", args=["en"]), headers={"Accept-Language": "de"}).content.decode()
    assert "Antworten" not in english
    assert "django.ngettext" in english


@pytest.mark.django_db
@pytest.mark.parametrize("language", ["fr", "xx", "de-at"])
def test_script_of_another_language_is_not_found(client: Client, language: str) -> None:
    assert client.get(reverse("script_texts", args=[language])).status_code == 404


@pytest.mark.django_db
def test_script_of_a_language_is_cached_until_it_changes_for_users_too(client: Client) -> None:
    client.force_login(get_user_model().objects.create_user("ann"))
    address = reverse("script_texts", args=["de"])
    answer = client.get(address)
    assert answer.headers["Cache-Control"] == "public, no-cache"
    assert "Cookie" not in answer.headers.get("Vary", "")
    again = client.get(address, headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.django_db
@pytest.mark.parametrize(("language", "expected"), [("de", "de"), ("de-AT", "de"), ("en-GB", "en"), ("fr", "en")])
@pytest.mark.parametrize("path", ["/chat/", "/chat/room1/", "/chat/%20/"])
def test_page_loads_the_texts_of_its_language_before_its_modules(
    client: Client, path: str, language: str, expected: str
) -> None:
    page = client.get(path, headers={"Accept-Language": language}).content.decode()
    texts, modules = page.find(f'src="/language/{expected}.js"'), page.find('<script type="module"')
    assert 0 < texts < modules


@pytest.mark.django_db
@pytest.mark.parametrize("language", ["en", "de"])
def test_room_page_names_the_list_of_emoji_of_its_language(client: Client, language: str) -> None:
    page = client.get("/chat/room1/", headers={"Accept-Language": language}).content.decode()
    assert re.search(rf'data-list="/static/vendor/emoji-picker-element-data%40[\d.]+/{language}/', page)

"""The installed app: manifest, icons, service worker, offline page, and what is shared with it."""

import json
import re

import pytest
from django.contrib.staticfiles import finders
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image
from pytest_django import Settings

from chat import web_app

SCREEN_SIZES = {"192x192", "512x512"}  # that browsers want before they offer to install


def test_manifest_has_what_browsers_ask_for_before_they_install(db: None, client: Client) -> None:
    page = client.get("/accounts/login/").content.decode()
    (address,) = re.findall(r'<link rel="manifest" href="([^"]+)">', page)
    response = client.get(address)
    manifest = json.loads(response.content)
    assert response["Content-Type"] == "application/manifest+json"
    assert (manifest["id"], manifest["start_url"], manifest["display"]) == ("/chat/", "/chat/", "standalone")
    assert manifest["name"]
    assert manifest["share_target"]["action"] == "/chat/share-target"
    for purpose in ("any", "maskable"):
        assert {icon["sizes"] for icon in manifest["icons"] if icon["purpose"] == purpose} == SCREEN_SIZES
    for place in [manifest, *manifest["shortcuts"]]:
        url = place.get("url", manifest["start_url"])
        assert url.startswith(manifest["scope"])
        assert client.get(url).status_code in {200, 302}


def test_icons_have_the_sizes_that_the_manifest_says(client: Client) -> None:
    for icon in json.loads(client.get("/chat/manifest.webmanifest").content)["icons"]:
        found = finders.find(icon["src"].removeprefix("/static/"))
        assert found
        with Image.open(found) as picture:
            assert f"{picture.width}x{picture.height}" == icon["sizes"]
            assert picture.format == "PNG"
            corner = picture.convert("RGBA").getpixel((0, 0))
        assert (corner[3] == 255) == (icon["purpose"] == "maskable")  # systems cut their shape out of the whole square


def test_pages_theme_colours_are_those_of_the_style_sheet() -> None:
    colours = re.findall(r"--ground: (#\w+);", web_app.content("site.css").decode())
    page = Client().get("/accounts/login/").content.decode()
    assert re.findall(r'<meta name="theme-color" content="(#\w+)"', page) == colours
    assert colours[0] == web_app.GROUND


def test_service_worker_is_asked_for_each_time_and_may_load_nothing_from_elsewhere(client: Client) -> None:
    response = client.get("/chat/service-worker.js")
    assert response["Content-Type"].startswith("text/javascript")
    assert "no-cache" in response["Cache-Control"]
    policy = {part.strip() for part in response["Content-Security-Policy"].split(";")}
    assert policy == {"default-src 'none'", "connect-src 'self'"}
    assert response.content.endswith(web_app.content("chat/service-worker.js"))


def test_service_worker_changes_with_what_it_keeps(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def worker(**headers: str) -> bytes:
        return client.get("/chat/service-worker.js", headers=headers).content

    first = worker()
    assert worker() == first
    assert worker(accept_language="de") != first
    monkeypatch.setattr(web_app, "OFFLINE_FILES", ["site.css", "chat/offline.js", "favicon-unread.svg"])
    assert worker() != first


@pytest.mark.parametrize("path", ["manifest.webmanifest", "service-worker.js", "offline.html"])
def test_what_is_kept_is_the_same_for_everybody_and_starts_no_session(client: Client, path: str) -> None:
    response = client.get(f"/chat/{path}")
    assert response.status_code == 200
    assert "public" in response["Cache-Control"]
    assert not response.cookies


def test_what_is_kept_is_there_without_guests(client: Client, settings: Settings) -> None:
    settings.CHAT_GUESTS = False
    assert client.get("/chat/offline.html").status_code == 200
    assert client.get("/chat/service-worker.js").status_code == 200


def test_offline_page_needs_only_files_that_the_worker_keeps(client: Client) -> None:
    page = client.get("/chat/offline.html").content.decode()
    addresses = re.findall(r'(?:href|src)="(/[^"]+)"', page)
    assert sorted(addresses) == sorted(f"/static/{path}" for path in web_app.OFFLINE_FILES)
    assert "what you write is kept" in page


def test_rooms_may_be_named_as_these_files(db: None, client: Client) -> None:
    for name in ["offline.html", "service-worker.js", "share-target"]:
        assert "room-data" in client.get(f"/chat/{name}/").content.decode()


def test_share_without_a_worker_shows_the_text(db: None) -> None:
    client = Client(enforce_csrf_checks=True)
    response = client.post("/chat/share-target", {"title": "A page", "text": "<b>", "url": "https://example.org/"})
    assert response.status_code == 200
    assert "A page\n&lt;b&gt;\nhttps://example.org/" in response.content.decode()


def test_share_without_a_worker_reads_no_long_body(db: None) -> None:
    files = {"text": "hello", "files": SimpleUploadedFile("a.bin", bytes(1_000_000))}
    response = Client().post("/chat/share-target", files)
    assert response.status_code == 200
    assert "hello" not in response.content.decode()


def test_share_target_without_a_post_leads_to_the_rooms(client: Client) -> None:
    assert client.get("/chat/share-target")["Location"] == "/chat/"

"""The picture process: what it makes of pictures, and of files that mean it ill."""

import asyncio
import io
import json
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from PIL import Image

from chat.errors import Unavailable
from chat.pictures import prepared
from chat.pictures.prepared import InvalidPicture, PictureProcesses, prepare
from tests.chat.pictures.drawings import PLACE, animation, exif, picture, png, written

pytestmark = pytest.mark.usefixtures("no_process_left")


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.02)


@pytest.fixture
def no_process_left():
    yield
    assert [child.cmdline() for child in psutil.Process().children() if "chat.pictures.child" in child.cmdline()] == []


@pytest.fixture
def file(tmp_path: Path):
    def write(content: bytes, name: str = "picture") -> Path:
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return write


def seen(content: bytes) -> Image.Image:
    with Image.open(io.BytesIO(content), formats=["WEBP"]) as image:
        image.load()
        return image


def light_corner(image: Image.Image) -> tuple[bool, bool]:
    """The quarter that is light: whether it is a right one, and whether it is a lower one."""
    grey = image.convert("L")
    across, down = grey.width // 4, grey.height // 4
    corners = {
        (right, low): grey.getpixel((across * (3 if right else 1), down * (3 if low else 1)))
        for right in (False, True)
        for low in (False, True)
    }
    return max(corners, key=corners.get)


@pytest.mark.parametrize(
    ("form", "mode", "type"),
    [
        ("JPEG", "RGB", "image/jpeg"),
        ("JPEG", "L", "image/jpeg"),
        ("JPEG", "CMYK", "image/jpeg"),
        ("PNG", "RGB", "image/png"),
        ("PNG", "RGBA", "image/png"),
        ("PNG", "LA", "image/png"),
        ("PNG", "P", "image/png"),
        ("PNG", "1", "image/png"),
        ("PNG", "I;16", "image/png"),
        ("GIF", "P", "image/gif"),
        ("WEBP", "RGB", "image/webp"),
        ("WEBP", "RGBA", "image/webp"),
    ],
)
async def test_picture_is_measured_and_shown_smaller(file, form: str, mode: str, type: str) -> None:
    if mode == "I;16":
        grey = Image.new("I;16", (2000, 1000), 10_000)
        grey.paste(Image.new("I;16", (1000, 500), 60_000), (0, 0))
        content = written(grey, form)
    else:
        content = picture(form, (2000, 1000), mode)

    made = await prepare(file(content))

    assert (made.type, made.width, made.height) == (type, 2000, 1000)
    assert (made.preview_width, made.preview_height, made.animated) == (1024, 512, False)
    shown = seen(made.preview)
    assert shown.size == (1024, 512)
    assert light_corner(shown) == (False, False)
    assert shown.convert("L").getpixel((100, 100)) > 200
    assert shown.convert("L").getpixel((900, 400)) < 60


@pytest.mark.parametrize(
    ("orientation", "corner"),
    [
        (1, (False, False)),
        (2, (True, False)),
        (3, (True, True)),
        (4, (False, True)),
        (5, (False, False)),
        (6, (True, False)),
        (7, (True, True)),
        (8, (False, True)),
    ],
)
async def test_preview_is_turned_and_neither_file_tells_the_place(file, orientation: int, corner) -> None:
    path = file(picture("JPEG", (400, 200), exif=exif(orientation)))

    made = await prepare(path)

    size = (400, 200) if orientation < 5 else (200, 400)
    assert (made.width, made.height) == (made.preview_width, made.preview_height) == size
    assert light_corner(seen(made.preview)) == corner
    assert dict(seen(made.preview).getexif()) == {}
    assert PLACE not in path.read_bytes()
    with Image.open(path) as image:
        assert image.getexif().get(0x0112, 1) == orientation


async def test_transparent_picture_stays_transparent(file) -> None:
    image = Image.new("RGBA", (50, 50), (200, 0, 0, 0))

    made = await prepare(file(written(image, "PNG")))

    assert seen(made.preview).getpixel((20, 20))[3] == 0


@pytest.mark.parametrize("form", ["GIF", "WEBP", "PNG"])
async def test_animation_stays_one(file, form: str) -> None:
    made = await prepare(file(animation(form, frames=4, size=(600, 300))))

    assert made.animated
    assert (made.width, made.height, made.preview_width, made.preview_height) == (600, 300, 480, 240)
    assert seen(made.preview).n_frames == 4


async def test_long_animation_shows_its_first_frame(file) -> None:
    made = await prepare(file(animation(frames=151, size=(8, 8))))

    assert not made.animated
    assert seen(made.preview).n_frames == 1


async def test_square_is_cut_from_the_middle(file) -> None:
    image = Image.new("RGB", (900, 300), (255, 0, 0))
    image.paste((0, 0, 255), (300, 0, 600, 300))

    made = await prepare(file(written(image, "JPEG")), edge=256, square=True)

    assert seen(made.preview).size == (256, 256)
    assert all(seen(made.preview).getpixel(place)[2] > 180 for place in [(8, 8), (248, 8), (128, 128), (248, 248)])


def bomb_gif() -> bytes:
    """A GIF of 60,000 times 60,000 pixels in a few bytes."""
    small = animation("GIF", frames=1, size=(8, 8))
    return small[:6] + b"\x60\xea\x60\xea" + small[10:]


def bomb_webp() -> bytes:
    """A WebP whose canvas is said to be 16 million pixels wide and as high."""
    whole = picture("WEBP", mode="RGBA", icc_profile=b"\0" * 200)
    return whole[:24] + b"\xff" * 6 + whole[30:]


HOSTILE = {
    "no bytes": (b"", "not_a_picture"),
    "SVG": (b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>', "not_a_picture"),
    "HTML": (b"<html><script>alert(1)</script>", "not_a_picture"),
    "HTML that begins as a GIF": (b"GIF89a=1/*<html><script>alert(1)</script>*/", "broken"),
    "a ZIP": (b"PK\x03\x04" + bytes(100), "not_a_picture"),
    "PostScript, which isn't offered": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not_a_picture"),
    "BMP, which isn't offered": (written(Image.new("RGB", (4, 4)), "BMP"), "not_a_picture"),
    "TIFF, which isn't offered": (written(Image.new("RGB", (4, 4)), "TIFF"), "not_a_picture"),
    "the first bytes of a JPEG": (b"\xff\xd8\xff\xe0", "broken"),
    "half a JPEG": (picture("JPEG", (400, 400))[:700], "broken"),
    "half a PNG": (picture("PNG", (400, 400))[:200], "broken"),
    "half a WebP": (picture("WEBP", (400, 400))[:100], "broken"),
    "a PNG of no pixels": (png(0, 0), "broken"),
    "a PNG of 100 megapixels": (png(10_000, 10_000, rows=10_000), "too_large"),
    "a PNG that says it has 4 gigapixels": (png(65_000, 65_000), "too_large"),
    "a PNG whose side overflows": (png(2**31 - 1, 2**31 - 1), "too_large"),
    "a GIF that says it has 3.6 gigapixels": (bomb_gif(), "too_large"),
    "a WebP with a canvas of 281 terapixels": (bomb_webp(), {"broken", "too_large"}),
}  # fmt: skip


@pytest.mark.parametrize("kind", HOSTILE)
async def test_hostile_file_is_refused_with_the_reason(file, kind: str) -> None:
    content, reason = HOSTILE[kind]

    with pytest.raises(InvalidPicture) as refusal:
        await prepare(file(content, "picture.png"))

    assert refusal.value.reason in reason if isinstance(reason, set) else refusal.value.reason == reason


async def test_refused_picture_has_lost_its_metadata_all_the_same(file, settings) -> None:
    settings.CHAT_PICTURE_PIXELS = 100
    path = file(picture("JPEG", exif=exif()))

    with pytest.raises(InvalidPicture):
        await prepare(path)

    assert PLACE not in path.read_bytes()


async def test_file_that_is_no_picture_is_left_alone(file) -> None:
    path = file(b"%PDF-1.7 " + PLACE)

    with pytest.raises(InvalidPicture):
        await prepare(path)

    assert path.read_bytes() == b"%PDF-1.7 " + PLACE


async def test_picture_under_a_wrong_name_is_taken_for_what_it_is(file) -> None:
    assert (await prepare(file(picture("PNG"), "cv.pdf.exe"))).type == "image/png"


async def test_page_behind_a_picture_is_cut_off(file) -> None:
    path = file(picture("GIF", mode="P") + b"<html><script>alert(1)</script>")

    await prepare(path)

    assert b"<script>" not in path.read_bytes()


async def test_picture_needs_more_memory_than_there_is(file, settings) -> None:
    settings.CHAT_PICTURE_MEMORY = 100_000_000  # bytes

    with pytest.raises(InvalidPicture) as refusal:
        await prepare(file(written(Image.new("RGBA", (6000, 6000)), "PNG", compress_level=1)))

    assert refusal.value.reason == "too_large"


def instead(monkeypatch, program: str) -> None:
    monkeypatch.setattr(PictureProcesses, "command", (sys.executable, "-c", textwrap.dedent(program)))


HANGING = {
    "decoder": """
        import chat.pictures.child as child
        def hang(*args, **options):
            while True:
                pass
        child.preview = hang
        child.main()
    """,
    "process that has not even begun": "import time; time.sleep(60)",
}


@pytest.mark.parametrize("kind", HANGING)
async def test_hanging_process_is_ended_and_the_next_picture_gets_another(file, settings, monkeypatch, kind) -> None:
    settings.CHAT_PICTURE_SECONDS = 0.5
    monkeypatch.setattr(prepared, "ENDING", 0.3)
    with monkeypatch.context() as patched:
        instead(patched, HANGING[kind])
        following = asyncio.create_task(prepare(file(picture(), "first")))
        beats = 0
        while not following.done():
            await asyncio.sleep(0.01)
            beats += 1
        with pytest.raises(InvalidPicture) as refusal:
            await following

    assert refusal.value.reason == "too_slow"
    assert beats > 10  # the loop went on meanwhile
    settings.CHAT_PICTURE_SECONDS = 10
    assert (await prepare(file(picture(), "second"))).width == 40


@pytest.mark.parametrize(
    "program",
    ["import os; os.abort()", "import sys; sys.exit(3)", "import os; os.close(0); os.close(1)"],
)
async def test_process_that_dies_is_a_damaged_picture(file, monkeypatch, program: str) -> None:
    instead(monkeypatch, program)

    with pytest.raises(InvalidPicture) as refusal:
        await prepare(file(picture()))

    assert refusal.value.reason == "broken"
    assert refusal.value.keeps_metadata


INTERRUPTED = {
    "decoding": """
        import chat.pictures.child as child, os
        child.preview = lambda *args, **options: os.abort()
        child.main()
    """,
    "decoding that takes too long": HANGING["decoder"],
    "removing": """
        import chat.pictures.child as child, os
        child.stripped = lambda content: os.abort()
        child.main()
    """,
    "removing, between the old file and the new one": """
        import chat.pictures.child as child, os
        child.Path.replace = lambda *args: os.abort()
        child.main()
    """,
    "removing that fails": """
        import chat.pictures.child as child
        child.stripped = lambda content: content[10**9]
        child.main()
    """,
}


@pytest.mark.parametrize("what", INTERRUPTED)
async def test_refusal_tells_whether_metadata_may_be_left(file, settings, monkeypatch, what: str) -> None:
    settings.CHAT_PICTURE_SECONDS = 1
    instead(monkeypatch, INTERRUPTED[what])
    path = file(picture("JPEG", exif=exif()))

    with pytest.raises(InvalidPicture) as refusal:
        await prepare(path)

    assert refusal.value.keeps_metadata == what.startswith("removing")
    assert (PLACE in path.read_bytes()) == refusal.value.keeps_metadata
    assert [one.name for one in path.parent.iterdir()] == [path.name]


async def test_disk_that_is_full_is_no_damaged_picture(file, monkeypatch) -> None:
    instead(
        monkeypatch,
        """
        import chat.pictures.child as child, resource
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))  # bytes
        child.main()
        """,
    )
    path = file(picture("JPEG", exif=exif()))

    with pytest.raises(Unavailable):
        await prepare(path)

    assert [one.name for one in path.parent.iterdir()] == [path.name]


async def test_cancelled_upload_ends_its_process(file, monkeypatch) -> None:
    instead(monkeypatch, HANGING["decoder"])
    others = set(psutil.Process().children())  # a browser, say, of other tests
    waiting = asyncio.create_task(prepare(file(picture())))
    await until(lambda: set(psutil.Process().children()) - others)

    waiting.cancel()

    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert set(psutil.Process().children()) <= others


async def test_more_pictures_than_may_wait_are_refused_for_now(file, monkeypatch) -> None:
    monkeypatch.setattr(prepared, "WAITING_MAX", 2)
    path = file(picture())

    results = await asyncio.gather(*(prepare(path) for _ in range(3)), return_exceptions=True)

    assert [type(result) for result in results].count(Unavailable) == 1


async def test_process_ends_with_its_server(file) -> None:
    """Even when that is killed: the process reads the end of its stdin."""
    limits = {"pixels": 10_000, "memory": 500_000_000, "seconds": 60}
    path = str(file(picture()))
    request = json.dumps({"path": path, "stripped": f"{path}.stripped", "edge": 9, "square": False, **limits})
    child = textwrap.dedent(HANGING["decoder"]).replace("pass", "__import__('time').sleep(1)")
    server = subprocess.Popen(  # noqa: ASYNC220  # started in no time
        [sys.executable, "-c", f"""
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", {child!r}], stdin=subprocess.PIPE)
child.stdin.write({request!r}.encode() + b"\\n")
child.stdin.flush()
print(child.pid, flush=True)
time.sleep(60)
"""],
        stdout=subprocess.PIPE,
    )  # fmt: skip
    number = int(server.stdout.readline())

    os.kill(server.pid, signal.SIGKILL)
    server.communicate()

    await until(lambda: not psutil.pid_exists(number) or psutil.Process(number).status() == psutil.STATUS_ZOMBIE)


def test_process_knows_no_django() -> None:
    program = "import chat.pictures.child, sys; print(*(name for name in sys.modules if name.startswith('django')))"
    assert subprocess.check_output([sys.executable, "-c", program], text=True).strip() == ""

"""A smaller WebP of a picture, turned as it is to be seen. Runs in the picture process only."""

import io
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageOps, ImageSequence

FORMATS = ["JPEG", "PNG", "GIF", "WEBP"]
TYPES = {"JPEG": "image/jpeg", "MPO": "image/jpeg", "PNG": "image/png", "GIF": "image/gif", "WEBP": "image/webp"}
ANIMATED_EDGE = 480  # pixels; each frame costs as much as a picture
FRAMES_MAX = 150
QUALITY = 80  # of 100
PROFILE_MAX = 64_000  # bytes of a colour profile that a preview carries


@dataclass(frozen=True)
class Preview:
    """`type`, `width` and `height` are the picture's own, as it is seen; the rest is the preview's."""

    type: str
    width: int
    height: int
    preview_width: int
    preview_height: int
    animated: bool
    content: bytes


def preview(path: Path, *, edge: int, square: bool, pixels: int) -> Preview:
    """A preview whose longer side has at most `edge` pixels, or a square of just that side.

    Raises Image.DecompressionBombError for a picture of more than `pixels`; what else Pillow raises for broken ones is
    of many kinds.
    """
    Image.MAX_IMAGE_PIXELS = pixels // 2  # it raises from twice as many on, and only warns below
    with Image.open(path, formats=FORMATS) as image:
        if image.width * image.height > pixels:
            raise Image.DecompressionBombError
        kind = TYPES[image.format or ""]
        turned = image.getexif().get(0x0112, 1) >= 5
        width, height = (image.height, image.width) if turned else image.size
        frames = 1 if square else _frames(image, pixels)
        shown = _animation(image) if frames > 1 else _still(image, edge, square)
        content, size = shown
        return Preview(kind, width, height, *size, frames > 1, content)


def _frames(image: Image.Image, pixels: int) -> int:
    """How many frames the preview is to have: all, or one of a picture that moves too long or is too large."""
    frames: int = getattr(image, "n_frames", 1)
    return frames if frames <= FRAMES_MAX and frames * image.width * image.height <= 2 * pixels else 1


def _still(image: Image.Image, edge: int, square: bool) -> tuple[bytes, tuple[int, int]]:
    image.draft("RGB", (2 * edge, 2 * edge))  # a JPEG is decoded at a half, quarter or eighth of its size
    profile = image.info.get("icc_profile", b"")
    if image.mode == "CMYK" or len(profile) > PROFILE_MAX:
        profile = b""  # a profile of CMYK isn't one of the RGB that it becomes
    if square:
        # Smaller first, so that turning and cutting need little memory.
        scale = 2 * edge / min(image.size)
        image.thumbnail((max(1, round(image.width * scale)), max(1, round(image.height * scale))))
    else:
        image.thumbnail((edge, edge))
    seen = ImageOps.exif_transpose(_in_colours(image))
    if square:
        seen = ImageOps.fit(seen, (edge, edge))
    return _webp(seen, icc_profile=profile), seen.size


def _in_colours(image: Image.Image) -> Image.Image:
    """`image` in a mode that WebP knows: RGB, or RGBA where some of it may be transparent."""
    if image.mode.startswith("I"):  # greys of 16 bits
        image = image.convert("I").point(lambda grey: grey * (1 / 256)).convert("L")
    return image.convert("RGBA" if image.has_transparency_data else "RGB")


def _animation(image: Image.Image) -> tuple[bytes, tuple[int, int]]:
    frames, durations = [], []
    for frame in ImageSequence.Iterator(image):
        durations.append(int(frame.info.get("duration", 100)))  # milliseconds
        smaller = frame.convert("RGBA")
        smaller.thumbnail((ANIMATED_EDGE, ANIMATED_EDGE))
        frames.append(smaller)
    loop = image.info.get("loop", 1)
    content = _webp(frames[0], save_all=True, append_images=frames[1:], duration=durations, loop=loop)
    return content, frames[0].size


def _webp(image: Image.Image, **options: object) -> bytes:
    written = io.BytesIO()
    image.save(written, "WEBP", quality=QUALITY, exif=b"", xmp=b"", **options)
    return written.getvalue()

"""Draw the icons of the installed app, with the sign of static/favicon.svg: `python -m setup.icons`.

The sign is drawn many times larger and made small: Pillow's edges aren't smooth. A maskable icon fills its square, as
systems cut what shape they like out of it, and has the sign well inside.
"""

from pathlib import Path

from PIL import Image, ImageDraw

FOLDER = Path(__file__).resolve().parent.parent / "static" / "icons"
BLUE, WHITE = "#2f5bd3", "#ffffff"
GRID = 32  # units of the drawing's side
FINE = 8  # pixels drawn for each that is kept


def icon(size: int, *, maskable: bool = False) -> Image.Image:
    side = size * FINE
    scale = side / GRID * (0.62 if maskable else 1.0)
    start = (side - GRID * scale) / 2
    ground, sign, dots = (BLUE, WHITE, BLUE) if maskable else (f"{BLUE}00", BLUE, WHITE)

    def at(x: float, y: float) -> tuple[float, float]:
        return start + x * scale, start + y * scale

    picture = Image.new("RGBA", (side, side), ground)
    draw = ImageDraw.Draw(picture)
    draw.rounded_rectangle((at(2, 3), at(30, 24)), radius=5 * scale, fill=sign)
    draw.polygon([at(10, 23), at(10, 30), at(17, 24), at(17, 23)], fill=sign)
    for x in (10, 16, 22):
        draw.ellipse((at(x - 2, 11.5), at(x + 2, 15.5)), fill=dots)
    return picture.resize((size, size), Image.Resampling.LANCZOS)


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for size in (192, 512):
        icon(size).save(FOLDER / f"icon-{size}.png", optimize=True)
        icon(size, maskable=True).save(FOLDER / f"maskable-{size}.png", optimize=True)
    icon(180, maskable=True).convert("RGB").save(FOLDER / "apple-touch-icon.png", optimize=True)

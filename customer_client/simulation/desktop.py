"""A desktop that looks alive: what the simulated customer of the demo shares.

Drawn from the time alone, so that the same moment always looks the same. Everything that stands still is drawn once.
"""

from datetime import UTC, datetime
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont

WIDTH, HEIGHT = 1280, 720
INK, SOFT, PAPER, RULE, ACCENT = "#1d2433", "#6b7385", "#ffffff", "#e3e7ee", "#2f6fde"
TYPED_PER_SECOND = 9
PAUSE_AT_END = 60
"""Letters' worth of rest before the text is begun anew."""
LETTER = """Dear support team,

our printer in the front office says it is ready,
but every second page comes out blank.

What I have tried so far:
  1. switched it off and on again
  2. printed the test page - that one was fine
  3. chose the other paper tray

It started on Monday, after the update.
Could you have a look at the settings with me?"""
PRINTERS = (("Front office", "Ready - 2 jobs waiting"), ("Warehouse labels", "Ready"), ("Upstairs, color", "Offline"))
STOPS = ((330, 196), (420, 268), (250, 430), (500, 520), (980, 240), (760, 470), (1120, 610), (600, 330))
"""Where the mouse goes, in turn."""
STOP_SECONDS = 3.0

Picture = NDArray[np.uint8]


@lru_cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _window(canvas: Image.Image, box: tuple[int, int, int, int], title: str) -> ImageDraw.ImageDraw:
    left, top, right, bottom = box
    shadow = Image.new("RGBA", canvas.size)
    ImageDraw.Draw(shadow).rounded_rectangle((left, top + 8, right, bottom + 10), 12, fill=(10, 20, 45, 110))
    canvas.alpha_composite(shadow.filter(ImageFilter.GaussianBlur(14)))
    draw = ImageDraw.Draw(canvas)
    draw.rounded_rectangle(box, 10, fill=PAPER)
    draw.rounded_rectangle((left, top, right, top + 44), 10, fill="#f3f5f9")
    draw.rectangle((left, top + 34, right, top + 44), fill="#f3f5f9")
    draw.line((left, top + 44, right, top + 44), fill=RULE)
    for place, color in enumerate(("#e8695f", "#e9b44c", "#63b971")):
        draw.ellipse((left + 18 + 22 * place, top + 16, left + 30 + 22 * place, top + 28), fill=color)
    draw.text(((left + right) // 2, top + 22), title, INK, _font(17), anchor="mm")
    return draw


@lru_cache(maxsize=1)
def _still_parts() -> Image.Image:
    rows = np.linspace(0, 1, HEIGHT)[:, None, None]
    columns = np.linspace(0, 1, WIDTH)[None, :, None]
    top, bottom = np.array([38, 84, 124]), np.array([142, 178, 196])
    shade = top + (bottom - top) * (rows * 0.75 + columns * 0.25)
    canvas = Image.fromarray(shade.astype(np.uint8)).convert("RGBA")
    draw = _window(canvas, (60, 56, 620, 604), "Printers")
    for place, (name, status) in enumerate(PRINTERS):
        y = 128 + 72 * place
        if place == 0:
            draw.rounded_rectangle((80, y - 12, 600, y + 50), 8, fill="#e8f0fe")
        draw.rounded_rectangle((98, y, 134, y + 36), 6, fill=ACCENT if place == 0 else "#aab4c6")
        draw.rectangle((106, y + 8, 126, y + 18), fill=PAPER)
        draw.text((152, y + 1), name, INK, _font(18))
        draw.text((152, y + 24), status, SOFT, _font(14))
    draw.line((80, 344, 600, 344), fill=RULE)
    draw.text((98, 362), "Front office", INK, _font(20))
    for place, (label, value) in enumerate((("Paper tray", "Tray 2"), ("Paper size", "A4"), ("Two-sided", "On"))):
        y = 402 + 36 * place
        draw.text((98, y), label, SOFT, _font(16))
        draw.rounded_rectangle((280, y - 5, 560, y + 24), 5, outline="#c5ccd9", fill="#fbfcfe")
        draw.text((294, y), value, INK, _font(16))
        draw.polygon(((536, y + 6), (548, y + 6), (542, y + 13)), fill=SOFT)
    draw.text((98, 520), "Cleaning the print head", SOFT, _font(15))
    draw.rounded_rectangle((98, 548, 560, 562), 7, fill=RULE)
    _window(canvas, (660, 96, 1226, 560), "Letter to support.txt")
    draw = ImageDraw.Draw(canvas)
    draw.rectangle((0, HEIGHT - 48, WIDTH, HEIGHT), fill="#182233")
    for place, color in enumerate((ACCENT, "#e9b44c", "#63b971", "#c774d8")):
        draw.rounded_rectangle((24 + 50 * place, HEIGHT - 38, 52 + 50 * place, HEIGHT - 10), 7, fill=color)
    return canvas.convert("RGB")


def _pointer_at(seconds: float) -> tuple[float, float]:
    stop, part = divmod(seconds / STOP_SECONDS, 1)
    here, there = STOPS[int(stop) % len(STOPS)], STOPS[(int(stop) + 1) % len(STOPS)]
    moved = min(1.0, part / 0.55)
    eased = moved * moved * (3 - 2 * moved)
    return here[0] + (there[0] - here[0]) * eased, here[1] + (there[1] - here[1]) * eased


def draw_desktop(seconds: float) -> Picture:
    """The desktop at a moment in seconds since 1970: RGB, uint8, (720, 1280, 3)."""
    canvas = _still_parts().copy()
    draw = ImageDraw.Draw(canvas)
    letters = int(seconds * TYPED_PER_SECOND) % (len(LETTER) + PAUSE_AT_END)
    lines = LETTER[:letters].split("\n")
    for place, line in enumerate(lines):
        draw.text((690, 160 + 31 * place), line, INK, _font(19))
    if int(seconds * 2) % 2:
        x = 692 + int(draw.textlength(lines[-1], _font(19)))
        draw.line((x, 160 + 31 * (len(lines) - 1), x, 182 + 31 * (len(lines) - 1)), fill=ACCENT, width=2)
    done = (seconds / 40) % 1
    draw.rounded_rectangle((98, 548, 112 + int(448 * done), 562), 7, fill=ACCENT)
    draw.text((560, 520), f"{int(100 * done)} %", SOFT, _font(15), anchor="ra")
    clock = datetime.fromtimestamp(int(seconds), UTC)
    draw.text((WIDTH - 28, HEIGHT - 24), clock.strftime("%H:%M:%S"), PAPER, _font(18), anchor="rm")
    draw.text((WIDTH - 128, HEIGHT - 24), clock.strftime("%d %B %Y"), "#aab4c6", _font(15), anchor="rm")
    left, top = _pointer_at(seconds)
    arrow = ((0, 0), (0, 19), (4.5, 15), (7.5, 21.5), (10.5, 20), (7.6, 13.8), (13.4, 13.4))
    draw.polygon([(left + dx, top + dy) for dx, dy in arrow], fill="#111111", outline=PAPER)
    return np.asarray(canvas)

"""How the window looks: the tokens of `annotate/browser/design/tokens.css`, as styles of ttk."""

import subprocess
import sys
import tkinter as tk
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from tkinter import font, ttk
from typing import Any, Literal

import numpy as np
from PIL import Image, ImageDraw, ImageTk

from customer_client.window.icons import SMOOTH, draw_icon

if sys.platform == "win32":
    import winreg

Weight = Literal["normal", "bold"]


@dataclass(frozen=True)
class Palette:
    """The colors of a theme, named as the tokens."""

    canvas: str
    surface: str
    sunken: str
    line: str
    line_strong: str
    ink: str
    muted: str
    accent: str
    accent_hover: str
    accent_soft: str
    accent_text: str
    on_accent: str
    danger: str
    danger_hover: str
    danger_soft: str
    danger_text: str
    on_danger: str


LIGHT = Palette(
    canvas="#f7f7f9",
    surface="#ffffff",
    sunken="#eeeef2",
    line="#e0e0e6",
    line_strong="#878793",
    ink="#1b1b22",
    muted="#5c5c69",
    accent="#4a4fd0",
    accent_hover="#3c40b8",
    accent_soft="#ecedfc",
    accent_text="#4145c4",
    on_accent="#ffffff",
    danger="#c42b2b",
    danger_hover="#a92222",
    danger_soft="#fdeded",
    danger_text="#b32424",
    on_danger="#ffffff",
)
DARK = Palette(
    canvas="#131316",
    surface="#1b1b20",
    sunken="#26262d",
    line="#303039",
    line_strong="#7c7c89",
    ink="#ededf1",
    muted="#a6a6b2",
    accent="#5a5fe0",
    accent_hover="#5054cc",
    accent_soft="#282a4e",
    accent_text="#b0b4ff",
    on_accent="#ffffff",
    danger="#d03838",
    danger_hover="#b82e2e",
    danger_soft="#411f22",
    danger_text="#ffa39e",
    on_danger="#ffffff",
)

EDGE, MIDDLE = 16, 128
"""Of the pictures that are stretched: how much at each side keeps its size, and what lies between."""

SIZES: Mapping[str, tuple[int, Weight]] = {
    "small": (13, "normal"),
    "body": (15, "normal"),
    "strong": (15, "bold"),
    "large": (17, "normal"),
    "heading": (18, "bold"),
    "title": (26, "bold"),
    "code": (40, "bold"),
}
"""The type scale, in pixels of a 96 dpi screen."""


def dark_wished() -> bool:
    """Whether the person's system is set to dark."""
    if sys.platform == "win32":
        key = r"Software\Microsoft\Windows\CurrentVersion\Themes\Personalize"
        try:
            with winreg.OpenKey(winreg.HKEY_CURRENT_USER, key) as personalize:
                return winreg.QueryValueEx(personalize, "AppsUseLightTheme")[0] == 0
        except OSError:
            return False
    ask = ["gsettings", "get", "org.gnome.desktop.interface", "color-scheme"]
    if sys.platform == "darwin":
        ask = ["defaults", "read", "-g", "AppleInterfaceStyle"]
    try:
        answer = subprocess.run(ask, capture_output=True, text=True, timeout=2, check=False)  # noqa: S603 - a fixed list
    except (OSError, subprocess.TimeoutExpired):
        return False
    return "dark" in answer.stdout.lower()


class Theme:
    """Fonts, styles and pictures of one Tk interpreter; sizes are given in pixels of a 96 dpi screen."""

    def __init__(self, root: tk.Tk, palette: Palette, scale: float) -> None:
        self.root, self.palette, self.scale = root, palette, scale
        self.style = ttk.Style(root)
        self._pictures: dict[tuple[object, ...], ImageTk.PhotoImage] = {}
        family = font.nametofont("TkDefaultFont", root=root).actual("family")
        self.fonts = {
            name: font.Font(root, family=family, size=-self.px(size), weight=weight)
            for name, (size, weight) in SIZES.items()
        }
        self.style.theme_use("clam")
        self.style.configure(".", background=palette.canvas, foreground=palette.ink, font=self.fonts["body"])
        root.configure(background=palette.canvas)
        self._labels()
        self._frames()
        self._buttons()
        self._switch()
        self._field()
        self._bars()

    def px(self, size: float) -> int:
        """A size on this screen."""
        return round(size * self.scale)

    def icon(self, name: str, color: str, size: int = 20) -> ImageTk.PhotoImage:
        """One of `icons.ICONS`."""
        return self._picture(("icon", name, color, size), lambda: draw_icon(name, color, self.px(size)))

    def dot(self, color: str, size: int = 10) -> ImageTk.PhotoImage:
        """A filled circle."""
        return self._picture(("dot", color, size), lambda: draw_icon("dot", color, self.px(size)))

    def _picture(self, key: tuple[object, ...], draw: Callable[[], Image.Image]) -> ImageTk.PhotoImage:
        if key not in self._pictures:
            self._pictures[key] = ImageTk.PhotoImage(draw(), master=self.root)
        return self._pictures[key]

    def _face(
        self,
        behind: str,
        fill: str,
        line: str,
        ring: str | None = None,
        *,
        radius: float = 8,
        margin: float = 4,
        width: int = 1,
    ) -> ImageTk.PhotoImage:
        """What is stretched to a button or a card; `ring` is the frame that shows focus, in the margin.

        It is opaque, and most of it is middle: Tk paints a stretched picture in pieces as large as that, and a piece
        that is seen through takes it a hundred times as long.
        """

        def draw() -> Image.Image:
            whole, by = self.px(2 * EDGE), self.scale * SMOOTH
            image = Image.new("RGB", (whole * SMOOTH, whole * SMOOTH), behind)
            pen, edge = ImageDraw.Draw(image), image.width - 1
            inset = margin * by
            if ring is not None:
                pen.rounded_rectangle((0, 0, edge, edge), (radius + margin) * by, outline=ring, width=round(2 * by))
            box = (inset, inset, edge - inset, edge - inset)
            pen.rounded_rectangle(box, radius * by, fill=fill, outline=line, width=max(SMOOTH, round(width * by)))
            pixels = np.asarray(image.reduce(SMOOTH))
            times = np.where(np.arange(whole) == whole // 2, self.px(MIDDLE), 1)
            return Image.fromarray(pixels.repeat(times, 0).repeat(times, 1))

        return self._picture(("face", behind, fill, line, ring, radius, margin, width), draw)

    def _element(self, name: str, normal: ImageTk.PhotoImage, *states: Any) -> None:
        """An element made of `_face`s, one for each state; it asks for no more than its edges."""
        size = self.px(2 * EDGE)
        self.style.element_create(
            name, "image", normal, *states, border=self.px(EDGE), padding=0, width=size, height=size, sticky="nsew"
        )

    def _nest(self, style: str, *elements: str) -> None:
        """A layout of elements, each within the one before."""
        layout: Any = None
        for element in reversed(elements):
            place: dict[str, object] = {"sticky": "" if element == "Button.label" else "nsew", "expand": "1"}
            layout = [(element, place | ({"children": layout} if layout else {}))]
        self.style.layout(style, layout)

    def _labels(self) -> None:
        p = self.palette
        for place, background in (
            ("", p.canvas),
            ("Card.", p.surface),
            ("Warning.", p.accent_soft),
            ("Danger.", p.danger_soft),
        ):
            for name, chosen in self.fonts.items():
                self.style.configure(f"{place}{name}.TLabel", background=background, foreground=p.ink, font=chosen)
            for name in ("small", "body", "large"):
                style = f"{place}muted.{name}.TLabel"
                self.style.configure(style, background=background, foreground=p.muted, font=self.fonts[name])
            danger = f"{place}danger.strong.TLabel"
            self.style.configure(danger, background=background, foreground=p.danger_text, font=self.fonts["strong"])

    def _frames(self) -> None:
        p = self.palette
        self.style.configure("TFrame", background=p.canvas)
        self.style.configure("Line.TFrame", background=p.line)
        self.style.configure("Plain.Card.TFrame", background=p.surface)
        self.style.layout("Plain.Card.TFrame", self.style.layout("TFrame"))
        for place, fill, line, width, ring, behind in (
            ("Card", p.surface, p.line, 1, None, p.canvas),
            ("Warning", p.accent_soft, p.accent_soft, 1, None, p.canvas),
            ("Warning.Card", p.accent_soft, p.accent_soft, 1, None, p.surface),
            ("Danger.Card", p.danger_soft, p.danger_soft, 1, None, p.surface),
            ("Tile", p.surface, p.line, 1, None, p.canvas),
            ("Focused", p.surface, p.line, 1, p.accent_text, p.canvas),
            ("Chosen", p.surface, p.accent, 2, None, p.canvas),
            ("Held", p.surface, p.accent, 2, p.accent_text, p.canvas),
        ):
            margin = 0 if place.endswith(".Card") else 4
            picture = self._face(behind, fill, line, ring, radius=10, margin=margin, width=width)
            self._element(f"{place}.face", picture)
            self.style.layout(f"{place}.TFrame", [(f"{place}.face", {"sticky": "nsew"})])
            self.style.configure(f"{place}.TFrame", background=behind)

    def _buttons(self) -> None:
        """`Primary.TButton`, `Danger.TButton`, `TButton` and `Quiet.TButton`; on a card, `Card.` comes before."""
        p = self.palette
        looks = {
            "Plain": (p.surface, p.line_strong, p.sunken, p.ink, p.canvas),
            "Primary": (p.accent, p.accent, p.accent_hover, p.on_accent, p.canvas),
            "Danger": (p.danger, p.danger, p.danger_hover, p.on_danger, p.canvas),
            "Quiet": (p.canvas, p.canvas, p.sunken, p.ink, p.canvas),
            "Card.Plain": (p.surface, p.line_strong, p.sunken, p.ink, p.surface),
            "Card.Primary": (p.accent, p.accent, p.accent_hover, p.on_accent, p.surface),
            "Card.Danger": (p.danger, p.danger, p.danger_hover, p.on_danger, p.surface),
            "Card.Quiet": (p.surface, p.surface, p.sunken, p.ink, p.surface),
            "Warning.Plain": (p.surface, p.line_strong, p.sunken, p.ink, p.accent_soft),
            "Danger.Plain": (p.danger, p.danger, p.danger_hover, p.on_danger, p.danger_soft),
        }
        for name, (fill, line, hover, text, behind) in looks.items():
            edge = hover if line == fill else line
            normal, over = self._face(behind, fill, line), self._face(behind, hover, edge)
            off = normal if fill == line == behind else self._face(behind, p.sunken, p.line)
            held = self._face(behind, hover, edge, p.accent_text)
            states = (
                ("disabled", off),
                ("pressed", "focus", held),
                ("pressed", over),
                ("active", "focus", held),
                ("focus", self._face(behind, fill, line, p.accent_text)),
                ("active", over),
            )
            element = f"{name}.face"
            self._element(element, normal, *states)
            self._nest(f"{name}.TButton", element, "Button.padding", "Button.label")
            wide, high = self.px(24), self.px(16)
            self.style.configure(
                f"{name}.TButton",
                background=behind,
                foreground=text,
                font=self.fonts["body"],
                padding=(wide, high, wide, high),
                anchor="center",
                width=0,
            )
            self.style.map(f"{name}.TButton", background=[], foreground=[("disabled", p.muted)])
        self.style.configure("Stop.Card.Danger.TButton", font=self.fonts["heading"], padding=self.px(22))
        self.style.configure("Small.Card.Quiet.TButton", font=self.fonts["small"], padding=self.px(12))

        self.style.layout("Quiet.TMenubutton", self.style.layout("Quiet.TButton"))
        small = self.fonts["small"]
        self.style.configure("Quiet.TMenubutton", padding=self.px(14), width=0, background=p.canvas, font=small)
        self.style.configure("Quiet.TMenubutton", foreground=p.muted)
        self.style.map("Quiet.TMenubutton", background=[], foreground=[])

    def _switch(self) -> None:
        p = self.palette

        def drawn(on: bool, color: str, ring: str | None) -> ImageTk.PhotoImage:
            return self._picture(("switch", on, color, ring), lambda: self._draw_switch(on, color, ring))

        off, on = p.line_strong, p.accent
        self.style.element_create(
            "Switch.indicator",
            "image",
            drawn(False, off, None),
            ("disabled", drawn(False, p.line, None)),
            ("selected", "focus", drawn(True, on, p.accent_text)),
            ("focus", drawn(False, off, p.accent_text)),
            ("selected", drawn(True, on, None)),
        )
        self._nest("Switch.TCheckbutton", "Checkbutton.padding", "Switch.indicator")
        self.style.configure("Switch.TCheckbutton", background=p.surface, foreground=p.ink, font=self.fonts["strong"])
        self.style.map("Switch.TCheckbutton", background=[], foreground=[])

    def _draw_switch(self, on: bool, color: str, ring: str | None) -> Image.Image:
        by = self.scale * SMOOTH
        image = Image.new("RGBA", (self.px(60) * SMOOTH, self.px(32) * SMOOTH), (0, 0, 0, 0))
        pen = ImageDraw.Draw(image)
        if ring:
            pen.rounded_rectangle((0, 0, 47 * by, 31 * by), 15 * by, outline=ring, width=round(2 * by))
        pen.rounded_rectangle((4 * by, 4 * by, 43 * by, 27 * by), 12 * by, fill=color)
        left = 22 * by if on else 7 * by
        pen.ellipse((left, 7 * by, left + 17 * by, 24 * by), fill="#ffffff")
        return image.reduce(SMOOTH)

    def _field(self) -> None:
        p = self.palette
        normal, focus = (
            self._face(p.canvas, p.surface, p.line_strong),
            self._face(p.canvas, p.surface, p.accent, p.accent_text),
        )
        self._element("Field.face", normal, ("focus", focus))
        self._nest("TEntry", "Field.face", "Entry.padding", "Entry.textarea")
        wide, high = self.px(18), self.px(14)
        look = {"selectbackground": p.accent, "selectforeground": p.on_accent, "insertcolor": p.ink}
        self.style.configure("TEntry", foreground=p.ink, padding=(wide, high, wide, high), **look)

    def _bars(self) -> None:
        p = self.palette
        self._nest("Vertical.TScrollbar", "Vertical.Scrollbar.trough", "Vertical.Scrollbar.thumb")
        flat = dict.fromkeys(("troughcolor", "bordercolor", "lightcolor", "darkcolor"), p.canvas)
        self.style.configure("Vertical.TScrollbar", background=p.line, width=self.px(10), gripcount=0, **flat)
        self.style.map("Vertical.TScrollbar", background=[("active", p.line_strong), ("disabled", p.canvas)])
        thin = dict.fromkeys(("background", "lightcolor", "darkcolor"), p.accent)
        edge = {"troughcolor": p.sunken, "bordercolor": p.canvas}
        self.style.configure("Horizontal.TProgressbar", thickness=self.px(6), **thin, **edge)

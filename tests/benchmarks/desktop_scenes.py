"""A process that draws a desktop on an X screen: `python -m tests.benchmarks.desktop_scenes DISPLAY`.

It reads lines of JSON and answers each with one: `{"play": scene}` lets a scene go on by itself, `{"hold": [scene, n]}`
draws its state `n` and stops there, `{"clock": scene}` plays one under a strip that tells the time. On top stand
sixteen blocks, the bits of the state's number or of the milliseconds since 1970. The same state always looks the same.
"""

import json
import sys
import time
import tkinter as tk
from io import BytesIO
from tkinter import ttk

import numpy as np
from PIL import Image, ImageFilter

SIZE = (1920, 1080)
"""For which it is made; of a smaller screen it shows the upper left part."""
BITS = 16
STRIP = 40
TEXT = (0, STRIP, 1190, 1000)
"""Left, top, right and bottom of the text in every scene."""
SCENES = ("still", "typing", "scrolling", "video")
RATES = {"still": 0, "typing": 9, "scrolling": 30, "video": 30}
"""States a second."""
CLOCK_RATE = 60
PIXELS = 10
"""How far a state scrolls. By an odd number H.264 would cost three times as much: its color has half the resolution."""
LINES = 400
FILMED = 24
FILM = (704, 396)
WORDS = [
    "ledger",
    "invoice",
    "printer",
    "driver",
    "update",
    "account",
    "border",
    "margin",
    "column",
    "paper",
    "toner",
    "queue",
]
COLORS = ("#1d2433", "#1d2433", "#6b7385", "#1d2433", "#2f6fde", "#1d2433", "#a03030")


def lines(count: int, seed: int) -> list[str]:
    """So many lines of text, always the same ones."""
    rng = np.random.default_rng(seed)
    made = []
    for number in range(count):
        words = [f"{rng.choice(WORDS)} {rng.integers(10_000)}" for _ in range(rng.integers(2, 10))]
        made.append(f"{number:04d}  {', '.join(words)}" if number % 7 else "")
    return made


def film() -> list[tk.PhotoImage]:
    """A picture in motion: colored clouds that drift."""
    rng = np.random.default_rng(3)
    width, height = FILM
    coarse, fine = (
        Image.fromarray(rng.integers(0, 256, (height // size, 2 * width // size, 3), np.uint8)).resize(
            (2 * width, height), Image.Resampling.BICUBIC
        )
        for size in (66, 12)
    )
    clouds = Image.blend(coarse, fine, 0.15)
    frames = []
    for number in range(FILMED):
        left = number * 12
        picture = clouds.crop((left, 0, left + width, height)).filter(ImageFilter.GaussianBlur(number % 3))
        encoded = BytesIO()
        picture.save(encoded, "ppm")
        frames.append(tk.PhotoImage(data=encoded.getvalue()))
    return frames


class Desktop:
    """The window over the whole screen."""

    def __init__(self, display: str) -> None:
        self._root = root = tk.Tk(display)
        width, height = root.winfo_screenwidth(), root.winfo_screenheight()
        root.overrideredirect(True)
        root.geometry(f"{width}x{height}+0+0")
        root.configure(background="#3b5a80")
        self._strip = tk.Canvas(root, width=width, height=STRIP, highlightthickness=0, background="black")
        self._strip.place(x=0, y=0)
        block = width // BITS
        self._blocks = [
            self._strip.create_rectangle(block * bit, 0, block * (bit + 1), STRIP, width=0) for bit in range(BITS)
        ]
        self._text = tk.Text(
            root, font=("DejaVu Sans", -15), wrap="none", borderwidth=0, padx=12, pady=8, insertofftime=0
        )
        left, top, right, bottom = TEXT
        self._text.place(x=left, y=top, width=right - left, height=bottom - top)
        for place, color in enumerate(COLORS):
            self._text.tag_configure(f"tag{place}", foreground=color)
        self._film = film()
        self._screen = tk.Label(root, image=self._film[0], borderwidth=0)
        self._screen.place(x=1206, y=STRIP + 10)
        table = ttk.Treeview(root, columns=("size", "date"), height=24)
        for number, line in enumerate(lines(24, 5)):
            table.insert("", "end", text=line[:40], values=(f"{number * 317} KiB", "2026-11-22"))
        table.place(x=1206, y=STRIP + 430, width=700, height=520)
        tk.Label(root, text="Files   Editor   Player", anchor="w", background="#1d2433", foreground="white").place(
            x=0, y=1010, width=width, height=70
        )
        self._playing: str | None = None
        self._clock = False
        self._since = 0.0
        self._scene = ""
        self._typed = "\n".join(lines(60, 11))
        self._shown = 0
        self.hold("still", 0)
        root.createfilehandler(sys.stdin, tk.READABLE, self._told)

    def run(self) -> None:
        """Until standard input ends."""
        self._root.mainloop()

    def hold(self, scene: str, state: int) -> None:
        """Draws a state."""
        if scene != self._scene:
            self._scene, self._shown = scene, 0
            self._text.delete("1.0", "end")
            if scene != "typing":
                for number, line in enumerate(lines(LINES, 2)):
                    self._text.insert("end", f"{line}\n", f"tag{number % len(COLORS)}")
        if scene == "typing":
            state %= len(self._typed)
            if state < self._shown:
                self._text.delete("1.0", "end")
                self._shown = 0
            self._text.insert("end", self._typed[self._shown : state])
            self._shown = state
        elif scene == "scrolling":
            self._root.update_idletasks()
            height = self._text.count("1.0", "end", "ypixels")
            total = height[0] if isinstance(height, tuple) else height or 1
            away = (total - TEXT[3] + TEXT[1]) // PIXELS
            place = away - abs(state % (2 * away) - away)
            self._text.yview_moveto(place * PIXELS / total)
        elif scene == "video":
            self._screen.configure(image=self._film[state % FILMED])
        self._tell(int(time.time() * 1000) if self._clock else state)

    def _tell(self, number: int) -> None:
        for bit, block in enumerate(self._blocks):
            self._strip.itemconfigure(block, fill="white" if number >> bit & 1 else "black")
        self._root.update_idletasks()

    def _told(self, *_: object) -> None:
        line = sys.stdin.readline()
        if not line:
            self._root.quit()
            return
        told = json.loads(line)
        playing, self._playing, self._clock = self._playing, None, "clock" in told
        if "hold" in told:
            self.hold(*told["hold"])
            self._root.update()
            self._root.winfo_pointerx()  # a round trip: all that was drawn before is drawn
        else:
            self._playing, self._since = told["clock" if self._clock else "play"], time.monotonic()
            if playing is None:
                self._root.after(0, self._step)
        print("{}", flush=True)

    def _step(self) -> None:
        if self._playing is None:
            return
        rate = CLOCK_RATE if self._clock else RATES[self._playing]
        state = int((time.monotonic() - self._since) * rate)
        self.hold(self._playing, state)
        if not rate:
            self._playing = None
            return
        due = self._since + (state + 1) / rate
        self._root.after(max(1, round(1000 * (due - time.monotonic()))), self._step)


if __name__ == "__main__":
    Desktop(sys.argv[1]).run()

"""An X server of one's own, without a screen: for what needs a real desktop."""

import os
import secrets
import select
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest


@contextmanager
def virtual_screen(width: int, height: int, *options: str) -> Iterator[str]:
    """The DISPLAY of a screen of so many pixels; skips the test where there is no Xvfb. `options` are its own."""
    if not shutil.which("Xvfb"):
        pytest.skip("Xvfb is not installed")
    reading, writing = os.pipe()
    # A number that Xvfb picks itself may be picked by another that starts at the same moment.
    number = f":{secrets.randbelow(50_000) + 1_000}"
    size = f"{width}x{height}x24"
    screen = subprocess.Popen(
        ["Xvfb", number, "-displayfd", str(writing), "-screen", "0", size, "-nolisten", "tcp", "-noreset", *options],
        pass_fds=[writing],
        stderr=subprocess.DEVNULL,
    )
    os.close(writing)
    try:
        if not select.select([reading], [], [], 20)[0]:
            pytest.fail("Xvfb did not start")
        yield number
    finally:
        screen.terminate()
        screen.wait()
        # Not before: Xvfb writes the number in two pieces, and ends when nobody reads the second.
        os.close(reading)

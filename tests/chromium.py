"""Which Chromium the tests start, and with which flags.

`CHROMIUM` is the whole browser: for whatever captures a screen or a tab. `HEADLESS` is for every other page: Chromium's
own headless shell where it is installed, the same engine without a browser's windows, for two thirds of the CPU time.
"""

import shutil

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
HEADLESS = shutil.which("chromium-headless-shell") or CHROMIUM
FLAGS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--no-first-run",
    "--disable-quic",
    "--disable-component-update",
    "--disable-sync",
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
]

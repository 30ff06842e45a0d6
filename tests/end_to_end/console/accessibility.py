"""What axe says of a page."""

from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import Page

Scheme = Literal["light", "dark"]
AXE = Path(__file__).parents[3] / "node_modules/axe-core/axe.min.js"

SETTLED = """async () => {
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  await Promise.allSettled(document.getAnimations().map((animation) => animation.finished));
}"""
"""Waits until no color is on its way from one scheme to the other."""


def expect_accessible(page: Page, schemes: tuple[Scheme, ...] = ("light", "dark")) -> None:
    """Fails on anything serious, in light and in dark."""
    page.evaluate(AXE.read_text(encoding="utf-8") + "; undefined")
    for scheme in schemes:
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        page.evaluate(SETTLED)
        found: list[dict[str, Any]] = page.evaluate("async () => (await axe.run()).violations")
        serious = [
            f"{violation['id']}: {node['html']}"
            for violation in found
            if violation["impact"] in ("serious", "critical")
            for node in violation["nodes"]
        ]
        assert not serious, f"{scheme}: {serious}"
    page.emulate_media(color_scheme="light")

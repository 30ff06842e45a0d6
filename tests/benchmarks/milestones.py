"""When the steps to the first frame happen, told by the pages themselves on the machine's clock.

The script wraps the browser's own functions, so that what is measured is the product as it is.
"""

from playwright.async_api import Page

WATCH = """(() => {
  const seen = (window.__milestones = {});
  const mark = (name) => { seen[name] ??= performance.timeOrigin + performance.now(); };
  addEventListener("click", () => mark("clicked"), true);
  const wrap = (target, name, milestone) => {
    const original = target?.[name];
    if (!original) return;
    target[name] = async function (...given) {
      const result = await original.apply(this, given);
      mark(milestone);
      return result;
    };
  };
  wrap(navigator.mediaDevices && MediaDevices.prototype, "getDisplayMedia", "captured");
  wrap(RTCPeerConnection.prototype, "setRemoteDescription", "described");
  const Original = RTCPeerConnection;
  window.RTCPeerConnection = class extends Original {
    constructor(...given) {
      super(...given);
      (window.__connections ??= []).push(this);
      this.addEventListener("connectionstatechange", () => this.connectionState === "connected" && mark("connected"));
    }
  };
  const watch = (video) => {
    if (video.__watched) return;
    video.__watched = true;
    video.requestVideoFrameCallback(() => mark("decoded"));
  };
  new MutationObserver(() => document.querySelectorAll("video").forEach(watch))
    .observe(document, { childList: true, subtree: true });
  addEventListener("DOMContentLoaded", () => document.querySelectorAll("video").forEach(watch));
})();"""
"""`clicked`, `captured`, `described`, `connected` and `decoded`, each the first time that it happens, ms since 1970."""


async def watch(page: Page) -> None:
    """Have the page note its milestones; to be called before it is opened."""
    await page.add_init_script(WATCH)


async def milestone(page: Page, name: str) -> float:
    """When it happened; waits for it."""
    handle = await page.wait_for_function("name => window.__milestones[name]", arg=name, timeout=30_000)
    return float(await handle.json_value())


async def forget(page: Page) -> None:
    """Begin anew on the same page."""
    await page.evaluate("() => { for (const name in window.__milestones) delete window.__milestones[name]; }")


async def codec(page: Page) -> str:
    """The MIME type of the video that the page receives."""
    handle = await page.wait_for_function(
        """async () => {
          for (const connection of window.__connections) {
            const stats = [...(await connection.getStats()).values()];
            const video = stats.find((each) => each.type === "inbound-rtp" && each.kind === "video" && each.codecId);
            if (video) return stats.find((each) => each.id === video.codecId).mimeType;
          }
        }"""
    )
    return str(await handle.json_value())

"""A page that moves, and a script that reads the time out of the pixels where a screen with a clock is seen."""

from tests.benchmarks.desktop_scenes import BITS, STRIP

TITLE = "Moving text"
PAGE = (1280, 720)

MOVING = f"""<!doctype html><html lang="en"><title>{TITLE}</title><style>
html, body {{ margin: 0; height: 100%; overflow: hidden; font: 15px/1.5 sans-serif; background: #fff; color: #222; }}
#text {{ position: absolute; top: 0; left: 20px; right: 20px; columns: 3; }}
</style><div id="text"></div>
<script>
const words = "ledger invoice printer driver update account border margin column paper toner queue".split(" ");
let seed = 7;
const next = (below) => (seed = (seed * 48271) % 2147483647) % below;
document.querySelector("#text").innerHTML = Array.from({{ length: 1500 }}, () =>
  `<span style="color: hsl(${{next(360)}} 80% 35%)">${{words[next(words.length)]}} ${{next(100000)}}</span>`).join(" ");
const step = () => {{
  const now = Date.now();
  document.querySelector("#text").style.transform = `translateY(${{-Math.abs((now / 10) % 800 - 400)}}px)`;
  requestAnimationFrame(step);
}};
requestAnimationFrame(step);
</script></html>"""
"""Colored text that scrolls up and down."""

READ = f"""(() => {{
  const frames = (window.__frames = []), ages = (window.__ages = []), reports = (window.__reports = []);
  window.__aging = false;
  const watched = new WeakSet();
  const canvas = new OffscreenCanvas({BITS} * 4, 4);
  const context = canvas.getContext("2d", {{ willReadFrequently: true }});
  const told = (video) => {{
    context.drawImage(video, 0, 0, video.videoWidth, {STRIP}, 0, 0, {BITS} * 4, 4);
    const {{ data }} = context.getImageData(0, 2, {BITS} * 4, 1);
    return Array.from({{ length: {BITS} }}, (_, bit) => (data[(bit * 4 + 2) * 4 + 1] > 127 ? 1 << bit : 0))
      .reduce((sum, value) => sum + value, 0);
  }};
  const watch = (video) => {{
    if (watched.has(video)) return;
    watched.add(video);
    const seen = (_, {{ presentationTime }}) => {{
      const at = performance.timeOrigin + presentationTime;
      video.requestVideoFrameCallback(seen);
      if (!video.classList.contains("picture")) return; // it waits behind the one that is seen
      frames.push(at);
      if (window.__aging) ages.push((((at - told(video)) % {1 << BITS}) + {1 << BITS}) % {1 << BITS});
    }};
    video.requestVideoFrameCallback(seen);
  }};
  new MutationObserver(() => document.querySelectorAll(".stage-frame video").forEach(watch))
    .observe(document, {{ childList: true, subtree: true }});
  const recorders = new Set();
  const Original = WebSocket;
  window.WebSocket = class extends Original {{
    constructor(...given) {{
      super(...given);
      this.addEventListener("message", (message) => {{
        const {{ events, sender, message: passed }} = JSON.parse(message.data);
        for (const {{ body }} of events ?? []) if (body.role === "recorder") recorders.add(body.participant);
        // Who hears nothing of the recorder's offers sees the customer directly, as in a network that forbids it.
        if (window.__directly && passed?.type === "offer" && recorders.has(sender)) message.stopImmediatePropagation();
      }});
    }}
    send(data) {{
      const message = JSON.parse(data);
      if (message.type === "report_path") {{
        reports.push({{ at: performance.timeOrigin + performance.now(), path: message.path }});
      }}
      super.send(data);
    }}
  }};
}})();"""
"""`__frames`: when each frame of the stage was presented that could be seen, and `__ages` how old it was then, ms.
`__reports`: what the page said of its picture's path, and when. With `__directly` set, it hears of no recorder's offer.
"""

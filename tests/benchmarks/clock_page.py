"""Pages that tell the time in their pixels, and a script that reads it where they are seen."""

TITLE = "Moving clock"
SIZE = (1280, 720)
BITS = 16

MOVING = f"""<!doctype html><html lang="en"><title>{TITLE}</title><style>
html, body {{ margin: 0; height: 100%; overflow: hidden; font: 15px/1.5 sans-serif; background: #fff; color: #222; }}
#time {{ position: fixed; z-index: 1; left: 0; top: 0; width: 100%; height: 40px; display: flex; }}
#time div {{ flex: 1; }}
#text {{ position: absolute; top: 40px; left: 20px; right: 20px; columns: 3; }}
</style><div id="time">{"<div></div>" * BITS}</div><div id="text"></div>
<script>
const words = "ledger invoice printer driver update account border margin column paper toner queue".split(" ");
let seed = 7;
const next = (below) => (seed = (seed * 48271) % 2147483647) % below;
document.querySelector("#text").innerHTML = Array.from({{ length: 1500 }}, () =>
  `<span style="color: hsl(${{next(360)}} 80% 35%)">${{words[next(words.length)]}} ${{next(100000)}}</span>`).join(" ");
const blocks = [...document.querySelectorAll("#time div")];
const step = () => {{
  const now = Date.now();
  blocks.forEach((block, bit) => {{ block.style.background = (now >> bit) & 1 ? "#fff" : "#000"; }});
  document.querySelector("#text").style.transform = `translateY(${{-Math.abs((now / 10) % 800 - 400)}}px)`;
  requestAnimationFrame(step);
}};
requestAnimationFrame(step);
</script></html>"""
"""Sixteen blocks on top are the bits of the milliseconds since 1970; below them colored text scrolls up and down."""

STILL = MOVING.replace("(now / 10) % 800", "0")
"""The same, but the text stands still: it is no work to encode, and what a frame's age tells is its way."""

READ = f"""(() => {{
  const frames = (window.__frames = []), ages = (window.__ages = []), reports = (window.__reports = []);
  window.__aging = false;
  const watched = new WeakSet();
  const canvas = new OffscreenCanvas({BITS} * 4, 4);
  const context = canvas.getContext("2d", {{ willReadFrequently: true }});
  const told = (video) => {{
    context.drawImage(video, 0, 0, video.videoWidth, (video.videoHeight * 40) / {SIZE[1]}, 0, 0, {BITS} * 4, 4);
    const {{ data }} = context.getImageData(0, 2, {BITS} * 4, 1);
    return Array.from({{ length: {BITS} }}, (_, bit) => (data[(bit * 4 + 2) * 4 + 1] > 127 ? 1 << bit : 0))
      .reduce((sum, value) => sum + value, 0);
  }};
  const watch = (video) => {{
    if (watched.has(video)) return;
    watched.add(video);
    const seen = (_, {{ presentationTime }}) => {{
      const at = performance.timeOrigin + presentationTime;
      frames.push(at);
      if (window.__aging) ages.push((((at - told(video)) % {1 << BITS}) + {1 << BITS}) % {1 << BITS});
      video.requestVideoFrameCallback(seen);
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
"""`__frames`: when each frame of the stage was presented, and `__ages` how old it was then, ms; `__reports`: what the
page said of its picture's path, and when. With `__directly` set, it hears of no offer of a recorder."""

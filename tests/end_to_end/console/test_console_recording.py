"""A session at the console with a recorder beside it: what Dana covers, and what a full disk does to the sharing."""

import errno
import re
import shutil
import subprocess
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.end_to_end.console import counter
from tests.end_to_end.console.conftest import Browsers
from tests.end_to_end.console.people import LIVE, Desk, around, sees
from tests.server_process import ServerProcess

DISK = "16m"
"""Of this size is the disk that recordings are put on: enough for a minute, and soon full."""

WATCH = """(() => {
  const watched = new WeakSet();
  window.__frames = window.__secret = 0;
  const canvas = new OffscreenCanvas(200, 140);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const look = (video) => {
    context.drawImage(video, 0, 0, 200, 140);
    const { data } = context.getImageData(0, 0, 200, 140);
    let pixels = 0;
    for (let at = 0; at < data.length; at += 4) {
      if (data[at] < 90 && data[at + 1] > 150 && data[at + 2] > 150) pixels += 1;
    }
    window.__frames += 1;
    window.__secret = Math.max(window.__secret, pixels);
    video.requestVideoFrameCallback(() => look(video));
  };
  new MutationObserver(() => {
    for (const video of document.querySelectorAll("video")) {
      if (watched.has(video)) continue;
      watched.add(video);
      video.requestVideoFrameCallback(() => look(video));
    }
  }).observe(document, { childList: true, subtree: true });
})();"""
"""`__secret`: how many pixels of the landmark in the middle were in the worst of the `__frames` that a page showed."""
SEEN = "[__frames > 0, __secret]"

TILES = "canvas.picture"
NO_MEDIA = "RTCPeerConnection.prototype.setRemoteDescription = () => new Promise(() => undefined);"
"""Then no connection of the page ever stands, and live snapshots take its place."""

CONNECTIONS = """(() => {
  const connections = (window.__connections = []);
  window.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(...given) {
      super(...given);
      connections.push(this);
    }
  };
})();"""
"""`__connections`: all that a page made."""


@pytest.fixture(scope="module")
def recording_server(seeded: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server with a recorder."""
    folder = tmp_path_factory.mktemp("recording")
    shutil.copytree(seeded, folder / "data")
    settings = {"organization": "ACME Support", "children": True}
    server = ServerProcess(folder / "data", folder / "server.log", settings)
    server.start()
    yield server
    server.terminate()
    server.check_log()


@pytest.fixture
def recording_desk(recording_server: ServerProcess, browsers: Browsers) -> Iterator[Desk]:
    """The people of one test."""
    made = Desk(recording_server, *browsers)
    yield made
    made.close()


@pytest.fixture
def small_disk(recording_server: ServerProcess) -> Iterator[Path]:
    """The folder of the recordings, on a small disk of its own."""
    folder = recording_server.data / "recordings"
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "sightline-test", str(folder)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("a small disk can be mounted by root only")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def begin(desk: Desk, alice: Page, dana: Page, *switches: str, strict: bool = False) -> str:
    """Dana agrees to be recorded, and chooses what to share; the session."""
    session, link = desk.invite(alice, ask_recording=True, strict_recording=strict)
    alice.goto(f"/console/sessions/{session}")
    dana.goto(link)
    for name in ("record", *switches):
        dana.get_by_role("switch", name=re.compile(name)).check()
    desk.choose(dana)
    return session


def drag(page: Page, box: counter.Extent) -> None:
    page.mouse.move(box[0], box[1])
    page.mouse.down()
    page.mouse.move((box[0] + box[2]) / 2, (box[1] + box[3]) / 2, steps=3)
    page.mouse.move(box[2], box[3], steps=3)
    page.mouse.up()


def pixel(page: Page, x: float, y: float, selector: str = LIVE) -> list[int]:
    """What Alice's picture shows at a point of the surface."""
    found: list[int] = page.evaluate(
        """([selector, x, y]) => {
          const picture = document.querySelector(selector);
          const canvas = new OffscreenCanvas(
            picture.videoWidth ?? picture.width, picture.videoHeight ?? picture.height);
          const context = canvas.getContext("2d");
          context.drawImage(picture, 0, 0);
          return [...context.getImageData(Math.floor(x * canvas.width), Math.floor(y * canvas.height), 1, 1).data];
        }""",
        [selector, x, y],
    )
    return found[:3]


def is_black(color: list[int]) -> bool:
    return max(color) < 40


def recorded(alice: Page, session: str) -> list[np.ndarray]:
    """Every picture of a session's recording, once all of it is written."""
    address = f"/api/recordings/{session}"

    def finished() -> list[str]:
        answer = alice.request.get(address)
        segments = answer.json()["segments"] if answer.ok else []
        return [each["url"] for each in segments] if all(each["finished"] for each in segments) else []

    frames: list[np.ndarray] = []
    for url in counter.eventually(alice, finished, "a finished recording"):
        with av.open(BytesIO(alice.request.get(url).body()), "r") as video:
            frames += [frame.to_ndarray(format="rgb24") for frame in video.decode(video=0)]
    return frames


def test_what_dana_covers_is_in_no_picture_that_leaves_her_computer(recording_desk: Desk) -> None:
    alice, dana = recording_desk.staff("alice"), recording_desk.customer()
    alice.add_init_script(WATCH)
    dana.add_init_script(CONNECTIONS)
    session = begin(recording_desk, alice, dana, "cover")
    shared = dana.context.pages[0]

    expect(dana.get_by_text("Nobody sees your screen yet.").first).to_be_visible()
    expect(alice.get_by_text("Dana paused the sharing.")).to_be_visible()
    connected = "__connections.some((each) => each.connectionState === 'connected')"
    counter.eventually(dana, lambda: dana.evaluate(connected), "a way on which a picture could leave")
    first = counter.eventually(dana, lambda: counter.count_in(dana, ".mirror video"), "Dana's mirror")
    counter.eventually(dana, lambda: (counter.count_in(dana, ".mirror video") or 0) > first + 5, "frames that don't")
    drag(dana, around(dana, ".covers", 0.35, 0.35, 0.65, 0.65))
    expect(dana.get_by_text("1 part is covered")).to_be_visible()
    dana.get_by_role("button", name="Done, show it").click()
    sees(alice)
    assert is_black(pixel(alice, 0.5, 0.5))
    assert not is_black(pixel(alice, 0.5, 0.2))

    shared.evaluate("for (let timer = 0; timer < 1000; timer += 1) clearInterval(timer)")
    assert not is_black(pixel(alice, 0.005, 0.005))
    dana.get_by_role("button", name="Cover a part").press("Enter")
    dana.get_by_role("button", name="Add a cover").press("Enter")
    second = dana.get_by_role("button", name="Cover 2", exact=True)
    expect(second).to_be_focused()
    for key, times in (("ArrowLeft", 40), ("ArrowUp", 40), ("Shift+ArrowLeft", 15), ("Shift+ArrowUp", 15)):
        for _ in range(times):
            dana.keyboard.press(key)
    counter.eventually(alice, lambda: is_black(pixel(alice, 0.005, 0.005)), "the cover, although nothing moves")
    assert alice.evaluate(SEEN) == [True, 0]
    alice.reload()
    counter.eventually(alice, lambda: counter.count_in(alice, LIVE), "the still picture after a reload")
    assert is_black(pixel(alice, 0.005, 0.005))

    assert alice.evaluate(SEEN) == [True, 0]
    alice.add_init_script(NO_MEDIA)
    alice.reload()
    counter.eventually(alice, lambda: counter.count_in(alice, TILES), "live snapshots")
    assert is_black(pixel(alice, 0.005, 0.005, TILES))
    assert is_black(pixel(alice, 0.5, 0.5, TILES))
    assert not is_black(pixel(alice, 0.5, 0.2, TILES))

    alice.get_by_role("button", name="Snapshot", exact=True).click()
    taken = counter.eventually(
        alice,
        lambda: alice.request.get(f"/api/recordings/{session}").json()["snapshots"],
        "a snapshot",
    )
    still = np.asarray(Image.open(BytesIO(alice.request.get(taken[0]["url"]).body())).convert("RGB"))
    assert not counter.cyan(still).any()
    assert is_black(still[still.shape[0] // 2, still.shape[1] // 2].tolist())
    assert is_black(still[4, 4].tolist())

    second.press("Delete")
    counter.eventually(alice, lambda: not is_black(pixel(alice, 0.005, 0.005, TILES)), "what is covered no more")
    dana.get_by_role("button", name="Stop sharing").click()
    frames = recorded(alice, session)
    assert len(frames) > 1
    assert not any(counter.cyan(frame).any() for frame in frames)


def test_under_the_strict_policy_a_full_disk_pauses_the_sharing_on_both_screens_until_there_is_room(
    recording_desk: Desk, small_disk: Path
) -> None:
    alice, dana = recording_desk.staff("alice"), recording_desk.customer()
    recording_desk.server.expected_errors = True
    session = begin(recording_desk, alice, dana, strict=True)
    shared = dana.context.pages[0]
    sees(alice)
    counter.eventually(alice, lambda: any(small_disk.glob("*.vault")), "a recorder that writes")

    filler = small_disk / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while file.write(bytes(4096)):
                pass
        except OSError as error:
            assert error.errno == errno.ENOSPC
    expect(dana.get_by_text("Paused, because the recording does not work at the moment.")).to_be_visible()
    expect(alice.get_by_text("The recording does not work at the moment, so the sharing is paused.")).to_be_visible()
    dana.get_by_role("button", name="Go on").click()
    last = shared.evaluate("count")
    counter.eventually(shared, lambda: shared.evaluate("count") > last + 10, "a second in which nobody sees anything")
    assert (counter.count_in(alice, LIVE) or 0) <= last

    filler.unlink()
    expect(dana.get_by_text("Paused, because")).to_have_count(0)
    expect(alice.get_by_text("The recording does not work")).to_have_count(0)
    sees(alice, last)
    kinds = [e["body"]["type"] for e in alice.request.get(f"/api/recordings/{session}").json()["events"]]
    story = ["recording_failed", "sharing_paused", "recording_restored", "sharing_resumed"]
    assert [kind for kind in kinds if kind in story] == story

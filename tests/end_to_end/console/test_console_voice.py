"""Alice and Dana talk: who may be heard, from when on, and until when."""

from playwright.sync_api import Page, expect

from tests.end_to_end.console.accessibility import expect_accessible
from tests.end_to_end.console.counter import eventually
from tests.end_to_end.console.people import Desk

WATCH = """(() => {
  const Connection = window.RTCPeerConnection;
  window.peers = [];
  window.microphones = [];
  window.RTCPeerConnection = class extends Connection {
    constructor(...options) { super(...options); window.peers.push(this); }
  };
  const devices = navigator.mediaDevices;
  const open = devices?.getUserMedia.bind(devices);
  if (open) devices.getUserMedia = async (wanted) => {
    const stream = await open(wanted);
    window.microphones.push(...stream.getAudioTracks());
    return stream;
  };
})()"""
"""Lets a test look at the connections and the microphones that a page opens by itself."""
VOICE = """async () => {
  const heard = { energy: 0, seconds: 0, sent: 0 };
  for (const peer of window.peers.filter((each) => each.connectionState === "connected")) {
    for (const entry of (await peer.getStats()).values()) {
      if (entry.kind !== "audio") continue;
      if (entry.type === "inbound-rtp") {
        heard.energy += entry.totalAudioEnergy;
        heard.seconds += entry.totalSamplesDuration;
      }
      if (entry.type === "outbound-rtp") heard.sent += entry.packetsSent;
    }
  }
  return heard;
}"""
BEEP_S = 1.0


def voice(page: Page) -> dict[str, float]:
    """What was heard on `page` so far, as energy and seconds, and the packets of voice that it sent."""
    heard: dict[str, float] = page.evaluate(VOICE)
    return heard


def expect_heard(page: Page) -> None:
    """Waits until a voice comes in louder than a room."""
    before = voice(page)["energy"]
    eventually(page, lambda: voice(page)["energy"] > before + 1e-4, "a voice")


def expect_silence(page: Page) -> None:
    """Waits until nothing was heard for longer than the time between two beeps."""
    last = voice(page)

    def silent() -> bool:
        nonlocal last
        now = voice(page)
        if now["energy"] > last["energy"] + 1e-6:
            last = now
        return now["seconds"] > last["seconds"] + 1.5 * BEEP_S

    eventually(page, silent, "silence")


def expect_closed(page: Page, opened: int) -> None:
    """Every microphone that `page` opened so far, this many, is given back."""
    states = "window.microphones.map((each) => each.readyState)"
    eventually(page, lambda: page.evaluate(states) == ["ended"] * opened, f"{opened} closed microphones")


def test_they_talk_when_dana_agrees_and_only_until_she_says_so(desk: Desk) -> None:
    alice, dana = desk.staff(), desk.customer()
    for page in (alice, dana):
        page.context.grant_permissions(["microphone"])
        page.add_init_script(WATCH)
    desk.meet(alice, dana)
    question = dana.get_by_role("alertdialog", name="Alice asks to talk with you.")

    # Asked, refused, and asked again: not one packet goes out before the yes.
    alice.keyboard.press("Shift+m")
    question.get_by_role("button", name="No, thanks").click()
    expect(alice.get_by_text("Voice refused")).to_be_visible()
    alice.get_by_role("button", name="Ask to talk").click()
    expect(question).to_be_visible()
    assert voice(alice)["sent"] == voice(dana)["sent"] == 0
    assert alice.evaluate("window.microphones.length") == dana.evaluate("window.microphones.length") == 0
    question.get_by_role("button", name="Turn microphone on").click()
    expect(dana.get_by_text("Alice can hear you", exact=True)).to_be_visible()
    expect_heard(alice)
    expect_heard(dana)
    expect(alice.locator("[data-level]")).not_to_have_attribute("data-level", "0")
    expect_accessible(alice)
    expect_accessible(dana)

    dana.get_by_role("button", name="Mute").click()
    expect(dana.get_by_text("Muted. Nobody hears you.")).to_be_visible()
    expect_silence(alice)
    dana.get_by_role("button", name="Unmute").click()
    expect_heard(alice)
    alice.keyboard.press("Shift+m")
    expect_silence(dana)

    dana.get_by_role("button", name="Turn microphone off").click()
    expect(alice.get_by_role("button", name="Ask to talk")).to_be_visible()
    expect_closed(dana, 1)
    expect_closed(alice, 1)

    # Dana offers it of her own accord: that opens her microphone, and nobody else's.
    dana.get_by_role("button", name="Microphone").click()
    dana.get_by_role("alertdialog", name="Turn on your microphone?").get_by_role(
        "button", name="Turn microphone on"
    ).click()
    expect_heard(alice)
    assert alice.evaluate("window.microphones.length") == 1
    alice.get_by_role("button", name="Talk", exact=True).click()
    expect_heard(dana)
    dana.get_by_role("button", name="Stop sharing").click()
    expect_closed(dana, 2)
    expect_closed(alice, 2)

    alice.get_by_role("button", name="Timeline").click()
    timeline = alice.get_by_role("complementary", name="Timeline")
    for line in ("Asked for voice", "Refused voice", "Agreed to voice", "Took back voice"):
        expect(timeline.get_by_text(line).first).to_be_visible()

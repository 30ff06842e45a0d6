import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Relayed } from "../../../signaling/browser/messages";
import { type Source, Viewer } from "../../../signaling/browser/viewer";

/** A browser's end of a connection: it stands when the test says so, and hears as many bytes as the test sends. */
class Peer {
  static made: Peer[] = [];
  connectionState: RTCPeerConnectionState = "new";
  localDescription: { sdp: string } | null = null;
  remoteDescription: { sdp: string } | null = null;
  bytes = 0;
  ontrack: ((event: { track: MediaStreamTrack }) => void) | null = null;
  onconnectionstatechange: (() => void) | null = null;
  readonly video = { kind: "video" } as MediaStreamTrack;
  readonly speaker = {
    sent: null as MediaStreamTrack | null,
    async replaceTrack(track: MediaStreamTrack | null) {
      this.sent = track;
    },
  };

  constructor() {
    Peer.made.push(this);
  }

  getConfiguration() {
    return {};
  }

  setConfiguration(): void {}

  async setRemoteDescription(description: { sdp: string }): Promise<void> {
    this.remoteDescription = description;
    this.ontrack?.({ track: this.video });
  }

  async setLocalDescription(): Promise<void> {
    this.localDescription = { sdp: "answer" };
  }

  getTransceivers() {
    return [{ receiver: { track: { kind: "audio" } }, sender: this.speaker, direction: "recvonly" }];
  }

  async getStats() {
    return new Map([["T", { id: "T", type: "transport", bytesReceived: this.bytes }]]);
  }

  close(): void {
    this.connectionState = "closed";
  }

  becomes(state: RTCPeerConnectionState): void {
    this.connectionState = state;
    this.onconnectionstatechange?.();
  }
}

const DIRECT = { customer: "dana", recorder: null, linked: false };
const RELAYED = { customer: "dana", recorder: "recorder", linked: true };

let viewer: Viewer;
let said: string[];
let sources: (Source | null)[];

/** An offer that is answered and whose connection stands; the frame that it would show is the test's to tell. */
async function offered(sender: string): Promise<Peer> {
  viewer.receive(sender, { type: "offer", to: "alice", connection: `${sender} ${Peer.made.length}`, sdp: "" });
  await vi.advanceTimersByTimeAsync(0);
  const peer = Peer.made.at(-1);
  if (!peer) throw new Error("nobody answered");
  peer.becomes("connected");
  await vi.advanceTimersByTimeAsync(0);
  return peer;
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("RTCPeerConnection", Peer);
  Peer.made = [];
  said = [];
  sources = [];
  viewer = new Viewer((message: Relayed) => {
    if ("to" in message) said.push(`${message.type} ${message.to}`);
    return true;
  });
  viewer.on("source", (source) => sources.push(source));
});

afterEach(() => {
  viewer.close();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("a new way takes over once it shows a frame, and what it replaces is kept until its sender knows", async () => {
  viewer.want(RELAYED);
  const first = await offered("dana");
  viewer.shown(first.video);
  const second = await offered("recorder");
  expect([sources, viewer.state, first.connectionState]).toEqual([["customer"], "connected", "connected"]);
  viewer.shown(second.video);
  expect([sources, first.connectionState]).toEqual([["customer", "recorder"], "connected"]);
  await vi.advanceTimersByTimeAsync(2_000);
  expect([first.connectionState, second.connectionState]).toEqual(["closed", "connected"]);
});

test("our voice goes the way that the picture comes, and no other", async () => {
  const voice = { kind: "audio" } as MediaStreamTrack;
  viewer.want(RELAYED);
  viewer.setVoice(voice);
  const first = await offered("dana");
  const second = await offered("recorder");
  expect([first.speaker.sent, second.speaker.sent]).toEqual([voice, null]);
  viewer.shown(second.video);
  expect([first.speaker.sent, second.speaker.sent]).toEqual([null, voice]);
});

test("while the recorder hands the picture on, an offer of the customer that nobody asked for is left alone", async () => {
  viewer.want(RELAYED);
  viewer.shown((await offered("recorder")).video);
  await expect(offered("dana")).resolves.toBe(Peer.made[0]);
  viewer.want(DIRECT);
  expect(said).toEqual(["answer recorder", "reoffer dana"]);
  const direct = await offered("dana");
  viewer.shown(direct.video);
  expect(sources).toEqual(["recorder", "customer"]);
});

test("a recorder that comes back before the customer's own connection shows anything keeps the picture", async () => {
  viewer.want(RELAYED);
  viewer.shown((await offered("recorder")).video);
  await vi.advanceTimersByTimeAsync(2_500);
  const asked = await offered("dana");
  viewer.shown((await offered("recorder")).video);
  viewer.shown(asked.video);
  expect([sources, asked.connectionState]).toEqual([["recorder", "recorder"], "closed"]);
});

test("a recorder that says nothing is given up after two seconds, and with its link gone after half of one", async () => {
  for (const [linked, patience] of [
    [true, 2_000],
    [false, 500],
  ] as const) {
    viewer.want(RELAYED);
    const peer = await offered("recorder");
    viewer.shown(peer.video);
    said = [];
    await vi.advanceTimersByTimeAsync(250);
    for (let passed = 0; passed < 5_000; passed += 250) {
      peer.bytes += 100;
      await vi.advanceTimersByTimeAsync(250);
    }
    viewer.want({ ...RELAYED, linked });
    await vi.advanceTimersByTimeAsync(patience - 250);
    expect(said).toEqual([]);
    await vi.advanceTimersByTimeAsync(250);
    expect(said).toEqual(["reoffer dana"]);
    viewer.want(null);
  }
});

test("a customer who was cut off is asked anew as soon as ICE should have heard something", async () => {
  viewer.want(DIRECT);
  const peer = await offered("dana");
  viewer.shown(peer.video);
  peer.bytes += 100;
  await vi.advanceTimersByTimeAsync(3_500);
  expect([viewer.flows, said]).toEqual([true, ["answer dana"]]);
  await vi.advanceTimersByTimeAsync(1_000);
  expect([viewer.flows, said]).toEqual([false, ["answer dana", "reoffer dana"]]);
  peer.bytes += 100;
  await vi.advanceTimersByTimeAsync(1_000);
  expect(viewer.flows).toBe(true);
});

test("who loads the page again asks the recorder first, and the customer when that does not offer", async () => {
  viewer.want(RELAYED);
  viewer.ask();
  expect(said).toEqual(["reoffer recorder"]);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(said).toEqual(["reoffer recorder", "reoffer dana"]);
});

test("a broken connection is asked for anew after three seconds, and given up as soon as its successor shows a frame", async () => {
  viewer.want(DIRECT);
  const first = await offered("dana");
  viewer.shown(first.video);
  first.becomes("failed");
  await vi.advanceTimersByTimeAsync(3_000);
  expect(said).toEqual(["answer dana", "reoffer dana"]);
  const second = await offered("dana");
  expect([viewer.state, viewer.flows]).toEqual(["failed", false]);
  viewer.shown(second.video);
  expect([sources, viewer.state, viewer.flows]).toEqual([["customer", "customer"], "connected", true]);
});

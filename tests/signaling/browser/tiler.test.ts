import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Tiles } from "../../../signaling/browser/messages";
import { type Look, Tiler } from "../../../signaling/browser/tiler";

const [WIDTH, HEIGHT] = [640, 300];

let screen: Look | null;
let looked: number;
let sent: Tiles[];
let qualities: number[];
let tiler: Tiler;

/** A letter's worth of ink, in a picture of its own. */
function draw(left: number, top: number): void {
  const pixels = screen?.pixels.slice() ?? new Uint32Array();
  pixels[top * WIDTH + left] = 1;
  screen = { surface: "screen", width: WIDTH, height: HEIGHT, pixels };
}

function places(frame: Tiles | undefined): number[][] {
  return frame?.tiles.map(({ left, top, width, height }) => [left, top, width, height]) ?? [];
}

async function passes(ms: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
}

beforeEach(() => {
  vi.useFakeTimers();
  screen = { surface: "screen", width: WIDTH, height: HEIGHT, pixels: new Uint32Array(WIDTH * HEIGHT) };
  looked = 0;
  sent = [];
  qualities = [];
  tiler = new Tiler({
    now: () => Date.now(),
    rest: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    look: async () => {
      looked += 1;
      return screen;
    },
    encode: async (_part, quality) => {
      qualities.push(quality);
      return "x".repeat(10_000);
    },
    send: async (message) => void sent.push(message),
  });
});

afterEach(() => vi.useRealTimers());

test("the whole picture comes first, and then only what changed, once the last frame was shown", async () => {
  tiler.ask("alice", null);
  await passes(0);
  expect(sent.map(({ part, last, after }) => [part, last, after])).toEqual([[0, true, null]]);
  draw(0, 0);
  draw(639, 299);
  await passes(1_000);
  expect(sent).toHaveLength(1);
  tiler.ask("alice", sent[0]?.frame ?? null);
  await passes(200);
  expect(sent).toHaveLength(2);
  expect(sent[1]?.after).toBe(sent[0]?.frame);
  expect(places(sent[1])).toEqual([
    [0, 0, 128, 128],
    [512, 256, 128, 44],
  ]);
});

test("a picture is sent in messages that the server takes, and as sharp as can be once it stands still", async () => {
  screen = { surface: "screen", width: 2_000, height: 300, pixels: new Uint32Array(2_000 * 300) };
  tiler.ask("alice", null);
  await passes(0);
  expect(sent.map(({ part, last, tiles }) => [part, last, tiles.length])).toEqual([
    [0, false, 6],
    [1, true, 6],
  ]);
  expect(sent.every(({ tiles }) => JSON.stringify(tiles).length < 64 * 1024)).toBe(true);
  expect(new Set(qualities)).toEqual(new Set([0.65]));
  qualities = [];
  tiler.ask("alice", sent[0]?.frame ?? null);
  await passes(200);
  expect(new Set(qualities)).toEqual(new Set([0.8]));
});

test("a frame that is not shown is sent again after five seconds, and after a break of the link at once", async () => {
  tiler.ask("alice", null);
  await passes(1_000);
  tiler.ask("alice", null);
  await passes(1_000);
  expect(sent).toHaveLength(1);
  await passes(4_000);
  tiler.ask("alice", null);
  await passes(200);
  expect(sent).toHaveLength(2);
  tiler.interrupt();
  await passes(200);
  expect(sent).toHaveLength(3);
  expect(sent.map(({ after }) => after)).toEqual([null, null, null]);
});

test("nobody looks any more when nobody asks any more", async () => {
  tiler.ask("alice", null);
  tiler.ask("bob", null);
  await passes(200);
  expect(sent.map(({ to }) => to)).toEqual(["alice", "bob"]);
  tiler.forget("bob");
  await passes(11_000);
  const before = looked;
  tiler.interrupt();
  draw(0, 0);
  await passes(1_000);
  expect([looked, sent.length]).toEqual([before, 2]);
});

test("a slow viewer gets coarser pictures, and another surface comes whole", async () => {
  tiler.ask("alice", null);
  await passes(1_500);
  tiler.ask("alice", sent[0]?.frame ?? null);
  qualities = [];
  draw(0, 0);
  await passes(200);
  expect(qualities).toEqual([0.5]);
  screen = { surface: "window", width: WIDTH, height: HEIGHT, pixels: new Uint32Array(WIDTH * HEIGHT) };
  tiler.ask("alice", sent.at(-1)?.frame ?? null);
  await passes(200);
  expect([sent.at(-1)?.surface, sent.at(-1)?.after, places(sent.at(-1)).length]).toEqual(["window", null, 6]);
});

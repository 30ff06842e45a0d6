import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { LiveSnapshots } from "../../../signaling/browser/live_snapshots";
import type { Relayed, Tiles } from "../../../signaling/browser/messages";
import type { Order, Wish } from "../../../signaling/browser/tile_worker";

const PICTURE = { width: 8, height: 8 } as ImageBitmap;
const TILES: Tiles = {
  type: "tiles",
  to: "alice",
  surface: "screen",
  frame: 1,
  after: null,
  part: 0,
  last: true,
  width: 8,
  height: 8,
  tiles: [],
};

/** The worker's end: what it is told, and what it asks of the page. */
class Crew {
  static hired: Crew[] = [];
  onmessage: ((event: { data: Wish }) => void) | null = null;
  told: Order[] = [];
  terminated = false;

  constructor() {
    Crew.hired.push(this);
  }
  postMessage(order: Order) {
    this.told.push(order);
  }
  terminate() {
    this.terminated = true;
  }
  /** What the page answers to a wish. */
  asks(data: Wish): Order | undefined {
    this.onmessage?.({ data });
    return this.told.at(-1);
  }
}

let sent: Relayed[];
let source: { frames: number; take: () => ImageBitmap | null };
let snapshots: LiveSnapshots;

beforeEach(() => {
  vi.stubGlobal("Worker", Crew);
  Crew.hired = [];
  sent = [];
  source = { frames: 1, take: () => PICTURE };
  snapshots = new LiveSnapshots({ relay: (message) => sent.push(message) > 0, waiting: 5 }, source);
});

afterEach(() => vi.unstubAllGlobals());

test("nobody is hired before anybody asks, and a picture is taken only when there is another", () => {
  snapshots.show("screen");
  expect(Crew.hired).toEqual([]);
  snapshots.receive("alice", { type: "ask_tiles", shown: null });
  const [crew] = Crew.hired;
  expect(crew?.told).toEqual([{ type: "ask", viewer: "alice", shown: null }]);
  expect(crew?.asks({ type: "look", must: true })).toEqual({ type: "picture", surface: "screen", picture: PICTURE });
  expect(crew?.asks({ type: "look", must: false })).toEqual({ type: "picture", surface: "", picture: null });
  source.frames = 2;
  expect(crew?.asks({ type: "look", must: false })).toEqual({ type: "picture", surface: "screen", picture: PICTURE });
  expect(crew?.asks({ type: "send", message: TILES })).toEqual({ type: "sent", waiting: 5 });
  expect(sent).toEqual([TILES]);
});

test("in a pause nothing is taken, and what was taken before stays here", () => {
  snapshots.show("screen");
  snapshots.receive("alice", { type: "ask_tiles", shown: null });
  const [crew] = Crew.hired;
  crew?.asks({ type: "look", must: true });
  snapshots.show(null);
  expect(crew?.told.at(-1)).toEqual({ type: "interrupt" });
  crew?.asks({ type: "send", message: TILES });
  expect(sent).toEqual([]);
  expect(crew?.asks({ type: "look", must: true })).toEqual({ type: "picture", surface: "", picture: null });
  snapshots.show("another");
  crew?.asks({ type: "send", message: TILES });
  expect(sent).toEqual([]);
});

test("a stop sends the worker home", () => {
  snapshots.show("screen");
  snapshots.receive("alice", { type: "ask_tiles", shown: null });
  snapshots.stop();
  expect(Crew.hired[0]?.terminated).toBe(true);
});

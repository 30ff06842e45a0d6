import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Connection, retryDelay } from "../../../signaling/browser/connection";
import type { ClientMessage, Event, ServerMessage } from "../../../signaling/browser/messages";

/** A server on the other end of a line that can be cut, or fall silent. */
class Socket {
  static readonly OPEN = 1;
  static opened: Socket[] = [];
  static reachable = true;
  readyState = 0;
  readonly heard: ClientMessage[] = [];
  onopen: (() => void) | null = null;
  onmessage: ((message: { data: string }) => void) | null = null;
  onclose: (() => void) | null = null;

  constructor() {
    Socket.opened.push(this);
    setTimeout(() => {
      if (!Socket.reachable) this.cut();
      else {
        this.readyState = Socket.OPEN;
        this.onopen?.();
      }
    }, 1);
  }

  send(text: string): void {
    this.heard.push(JSON.parse(text) as ClientMessage);
  }

  close(): void {
    this.readyState = 3;
  }

  cut(): void {
    this.readyState = 3;
    this.onclose?.();
  }

  say(message: ServerMessage): void {
    this.onmessage?.({ data: JSON.stringify(message) });
  }

  welcome(seq = 0): void {
    this.say({
      type: "welcome",
      version: 1,
      session: "s",
      participant: "dana",
      role: "customer",
      seq,
      now: Date.now() + 5_000,
      ice_servers: [],
      turn: false,
    });
  }
}

function latest(): Socket {
  const socket = Socket.opened.at(-1);
  if (!socket) throw new Error("nobody connected");
  return socket;
}

const chat = (seq: number): Event => ({ seq, at: seq, actor: "alice", body: { type: "chat_said", text: String(seq) } });

let connection: Connection;

beforeEach(() => {
  vi.useFakeTimers();
  Socket.opened = [];
  Socket.reachable = true;
  vi.stubGlobal("WebSocket", Socket);
  vi.stubGlobal("window", new EventTarget());
  connection = new Connection({ token: "secret", url: "ws://server/api/signal" });
});

afterEach(() => {
  connection.close();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

async function connect(): Promise<Socket> {
  connection.open();
  await vi.advanceTimersByTimeAsync(1);
  latest().welcome();
  return latest();
}

test("what was not acknowledged is sent again under the same id, in order, and only that", async () => {
  const first = await connect();
  const said = connection.send({ type: "say", text: "one" });
  void connection.send({ type: "say", text: "two" });
  const [, one, two] = first.heard as { id: string }[];
  first.say({ type: "ack", id: one?.id ?? "", seq: 7 });
  expect(await said).toEqual({ ok: true, seq: 7 });

  first.cut();
  void connection.send({ type: "say", text: "three" });
  await vi.advanceTimersByTimeAsync(10);
  latest().welcome();
  expect(latest()).not.toBe(first);
  expect(latest().heard.slice(1)).toEqual([
    { type: "say", text: "two", id: two?.id },
    { type: "say", text: "three", id: expect.any(String) },
  ]);
});

test("an event comes once, and the hello names the last one", async () => {
  const seen: number[] = [];
  connection.on("events", (events) => seen.push(...events.map(({ seq }) => seq)));
  const first = await connect();
  first.say({ type: "events", events: [chat(1), chat(3)] });
  first.cut();
  await vi.advanceTimersByTimeAsync(10);
  expect(latest().heard[0]).toMatchObject({ type: "hello", last_seq: 3 });
  latest().say({ type: "events", events: [chat(3), chat(4)] });
  expect(seen).toEqual([1, 3, 4]);
});

test("what is ephemeral is dropped while there is no link", async () => {
  const first = await connect();
  first.cut();
  expect(connection.relay({ type: "request_snapshot" })).toBe(false);
  await vi.advanceTimersByTimeAsync(10);
  latest().welcome();
  expect(latest().heard).toHaveLength(1);
  expect(connection.relay({ type: "request_snapshot" })).toBe(true);
});

test("a dead link is noticed within ten seconds although no socket was closed", async () => {
  await connect();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(connection.link).not.toBe("online");
  expect(Socket.opened.length).toBeGreaterThan(1);
});

test("a link on which there are answers stays", async () => {
  const socket = await connect();
  for (let second = 0; second < 60; second += 1) {
    await vi.advanceTimersByTimeAsync(1_000);
    const ping = socket.heard.at(-1);
    if (ping?.type === "ping") socket.say({ type: "pong", number: ping.number });
  }
  expect([connection.link, Socket.opened.length]).toEqual(["online", 1]);
});

test("after a long absence the link is back within three seconds of the network", async () => {
  const first = await connect();
  Socket.reachable = false;
  first.cut();
  await vi.advanceTimersByTimeAsync(120_000);
  Socket.reachable = true;
  await vi.advanceTimersByTimeAsync(3_000);
  expect(latest().heard[0]).toMatchObject({ type: "hello" });
});

test("the browser's word that it is online is taken at once", async () => {
  const first = await connect();
  Socket.reachable = false;
  first.cut();
  await vi.advanceTimersByTimeAsync(60_000);
  Socket.reachable = true;
  window.dispatchEvent(new Event("online"));
  await vi.advanceTimersByTimeAsync(5);
  expect(latest().heard[0]).toMatchObject({ type: "hello" });
});

test("who was replaced does not come back, and what waited is told so", async () => {
  const codes: string[] = [];
  connection.on("closed", ({ code }) => codes.push(code));
  const socket = await connect();
  const said = connection.send({ type: "say", text: "hello" });
  socket.say({ type: "closing", code: "replaced", retry_ms: null });
  await vi.advanceTimersByTimeAsync(60_000);
  expect(codes).toEqual(["replaced"]);
  expect(await said).toMatchObject({ ok: false, code: "closed" });
  expect(Socket.opened).toHaveLength(1);
});

test("a server that goes down for a while says when to come back", async () => {
  const socket = await connect();
  socket.say({ type: "closing", code: "restart", retry_ms: 20_000 });
  await vi.advanceTimersByTimeAsync(19_000);
  expect(Socket.opened).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(1_500);
  expect(Socket.opened).toHaveLength(2);
});

test("a refusal is the result of what was refused", async () => {
  const socket = await connect();
  const said = connection.send({ type: "say", text: "hello" });
  const { id } = socket.heard[1] as { id: string };
  socket.say({ type: "refused", id, code: "ended", text: "The session has ended." });
  expect(await said).toEqual({ ok: false, code: "ended", text: "The session has ended." });
});

test("the server's clock is known", async () => {
  await connect();
  expect(connection.now() - Date.now()).toBe(5_000);
});

test("the first try is made at once, later ones at random within two seconds", () => {
  expect(retryDelay(0, 1)).toBe(0);
  expect([1, 2, 3, 4, 50].map((attempt) => retryDelay(attempt, 1))).toEqual([250, 500, 1000, 2000, 2000]);
  expect(retryDelay(50, 0)).toBe(1000);
});

// A participant's connection to the server, which outlives its WebSockets.
//
// Durable messages are kept until the server has committed them, and are sent again, under the same id, after every
// reconnect. Ephemeral ones are dropped while there is no link. Events come exactly once and in order.

import { Emitter } from "./emitter";
import type {
  ClientMessage,
  DurableMessage,
  Event,
  IceServer,
  Relay,
  Relayed,
  ServerMessage,
  Welcome,
} from "./messages";
import { PROTOCOL_VERSION } from "./messages";

const PING_EVERY_MS = 5_000;
const PONG_WITHIN_MS = 4_000;
const RETRY_FIRST_MS = 250;
const RETRY_AT_MOST_MS = 2_000;
const CONNECT_WITHIN_MS = 3_000;
const CONNECT_AT_MOST_MS = 10_000;

/** `offline`: the link broke and is being made again; `closed`: the server said not to come back, or `close` was used. */
export type Link = "connecting" | "online" | "offline" | "closed";

export type Committed = { ok: true; seq: number } | { ok: false; code: string; text: string };

/** A durable message without its id, which the connection gives it. */
export type Command = DurableMessage extends infer Each
  ? Each extends DurableMessage
    ? Omit<Each, "id">
    : never
  : never;

export interface ConnectionEvents {
  link: Link;
  welcome: Welcome;
  events: readonly Event[];
  presence: readonly string[];
  relay: Relay;
  /** Every ICE server with its credentials; comes when `welcome.turn` is set and there is sharing. */
  iceServers: readonly IceServer[];
  /** A refused ephemeral message; refusals of durable ones are the result of `send`. */
  refused: { code: string; text: string };
  /** The server closed for good; `replaced` means that the same participant came in elsewhere. */
  closed: { code: string };
}

interface Pending {
  message: DurableMessage;
  settle: (committed: Committed) => void;
}

export interface ConnectionOptions {
  token: string;
  /** The WebSocket's address; by default `/api/signal` where the page came from. */
  url?: string;
  /** The last event that the page has already folded. */
  lastSeq?: number;
}

export function signalAddress(location: Location): string {
  return `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/api/signal`;
}

/** How long to wait before attempt number `attempt` (0 is the first after a loss); `random` is 0..1. */
export function retryDelay(attempt: number, random: number): number {
  if (attempt === 0) return 0;
  const longest = Math.min(RETRY_AT_MOST_MS, RETRY_FIRST_MS * 2 ** (attempt - 1));
  return Math.round(longest * (0.5 + random / 2));
}

export function randomIdentifier(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_");
}

export class Connection extends Emitter<ConnectionEvents> {
  /** The server's clock minus this one, in ms. */
  clockOffset = 0;
  welcome: Welcome | null = null;
  link: Link = "connecting";

  readonly #url: string;
  readonly #token: string;
  readonly #pending = new Map<string, Pending>();
  #lastSeq: number;
  #socket: WebSocket | null = null;
  #attempt = 0;
  #pings = 0;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #ping: ReturnType<typeof setTimeout> | undefined;
  #deadline: ReturnType<typeof setTimeout> | undefined;

  constructor(options: ConnectionOptions) {
    super();
    this.#token = options.token;
    this.#url = options.url ?? signalAddress(window.location);
    this.#lastSeq = options.lastSeq ?? 0;
    window.addEventListener("online", this.#networkReturned);
    window.addEventListener("pageshow", this.#pageReturned);
  }

  /** Opens the link and keeps it open until `close`. */
  open(): void {
    if (this.#socket || this.link === "closed") return;
    clearTimeout(this.#retry);
    const socket = new WebSocket(this.#url);
    this.#socket = socket;
    const within = Math.min(CONNECT_AT_MOST_MS, CONNECT_WITHIN_MS + this.#attempt * 1_000);
    this.#deadline = setTimeout(() => this.#lose(socket), within);
    socket.onopen = () =>
      this.#write({ type: "hello", version: PROTOCOL_VERSION, token: this.#token, last_seq: this.#lastSeq });
    socket.onmessage = (message) => {
      if (socket === this.#socket) this.#receive(JSON.parse(String(message.data)) as ServerMessage);
    };
    socket.onclose = () => this.#lose(socket);
  }

  /** Sends a durable message; settles when the server has committed or refused it, however long the link is down. */
  send(command: Command): Promise<Committed> {
    if (this.link === "closed") return Promise.resolve({ ok: false, code: "closed", text: "" });
    const message = { ...command, id: randomIdentifier() } as DurableMessage;
    return new Promise((settle) => {
      this.#pending.set(message.id, { message, settle });
      if (this.link === "online") this.#write(message);
    });
  }

  /** Passes an ephemeral message on, or drops it (and says so with false) while there is no link. */
  relay(message: Relayed): boolean {
    if (this.link !== "online") return false;
    this.#write(message);
    return true;
  }

  /** The server's time, ms since 1970. */
  now(): number {
    return Date.now() + this.clockOffset;
  }

  /** How many bytes the network has not taken yet. */
  get waiting(): number {
    return this.#socket?.bufferedAmount ?? 0;
  }

  /** Whether something sent has not been committed yet. */
  get unsettled(): boolean {
    return this.#pending.size > 0;
  }

  close(): void {
    this.#stop("left");
  }

  /** Out of the back-forward cache, where sockets don't live. */
  readonly #pageReturned = (event: PageTransitionEvent): void => {
    if (event.persisted) this.#networkReturned();
  };

  readonly #networkReturned = (): void => {
    if (this.link === "closed") return;
    if (this.#socket && this.link === "online") {
      // The socket may be of the network that is gone: ask, and don't wait for the usual turn.
      this.#sendPing();
      return;
    }
    this.#attempt = 0;
    if (this.#socket) this.#lose(this.#socket);
    else this.open();
  };

  #write(message: ClientMessage): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  #receive(message: ServerMessage): void {
    this.#heard();
    switch (message.type) {
      case "welcome":
        this.#attempt = 0;
        this.clockOffset = message.now - Date.now();
        this.welcome = message;
        this.#setLink("online");
        this.emit("welcome", message);
        for (const { message: unsettled } of this.#pending.values()) this.#write(unsettled);
        break;
      case "events": {
        const fresh = message.events.filter((event) => event.seq > this.#lastSeq);
        const last = fresh.at(-1);
        if (!last) break;
        this.#lastSeq = last.seq;
        // The welcome may have been long on the way, but no event is older than its time: ours must not lag behind it,
        // or what was just drawn would count as not drawn yet.
        this.clockOffset = Math.max(this.clockOffset, last.at - Date.now());
        this.emit("events", fresh);
        break;
      }
      case "ack":
        this.#settle(message.id, { ok: true, seq: message.seq });
        break;
      case "refused":
        if (message.id === null) this.emit("refused", message);
        else this.#settle(message.id, { ok: false, code: message.code, text: message.text });
        break;
      case "presence":
        this.emit("presence", message.connected);
        break;
      case "relay":
        this.emit("relay", message);
        break;
      case "ice_servers":
        this.emit("iceServers", message.ice_servers);
        break;
      case "pong":
        break;
      case "closing":
        if (message.retry_ms === null) this.#stop(message.code);
        else this.#lose(this.#socket, message.retry_ms);
        break;
    }
  }

  #settle(id: string, committed: Committed): void {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    pending?.settle(committed);
  }

  /** Anything heard proves that the link lives; the next ping is due 5 s from now. */
  #heard(): void {
    clearTimeout(this.#deadline);
    clearTimeout(this.#ping);
    this.#ping = setTimeout(() => this.#sendPing(), PING_EVERY_MS);
  }

  #sendPing(): void {
    const socket = this.#socket;
    if (!socket) return;
    clearTimeout(this.#ping);
    clearTimeout(this.#deadline);
    this.#write({ type: "ping", number: ++this.#pings });
    this.#deadline = setTimeout(() => this.#lose(socket), PONG_WITHIN_MS);
  }

  #lose(socket: WebSocket | null, retryMs = 0): void {
    if (socket !== this.#socket || this.link === "closed") return;
    this.#drop();
    this.#setLink("offline");
    const delay = Math.max(retryMs, retryDelay(this.#attempt, Math.random()));
    this.#attempt += 1;
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.open(), delay);
  }

  #drop(): void {
    clearTimeout(this.#deadline);
    clearTimeout(this.#ping);
    const socket = this.#socket;
    this.#socket = null;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }

  #stop(code: string): void {
    if (this.link === "closed") return;
    this.#drop();
    clearTimeout(this.#retry);
    window.removeEventListener("online", this.#networkReturned);
    window.removeEventListener("pageshow", this.#pageReturned);
    this.#setLink("closed");
    for (const id of [...this.#pending.keys()]) this.#settle(id, { ok: false, code: "closed", text: "" });
    this.emit("closed", { code });
  }

  #setLink(link: Link): void {
    if (this.link === link) return;
    this.link = link;
    this.emit("link", link);
  }
}

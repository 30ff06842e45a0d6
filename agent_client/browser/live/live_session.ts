import { batch, computed, signal } from "@preact/signals";
import { Board, isBoardChange } from "../../../annotate/browser/board";
import { type Command, Connection, type Link } from "../../../signaling/browser/connection";
import { rtcIceServers } from "../../../signaling/browser/description";
import { Ladder } from "../../../signaling/browser/ladder";
import type { Annotation, Event, Outcome, Path, Pointer, Relay, Relayed } from "../../../signaling/browser/messages";
import { pathOf, type Quality } from "../../../signaling/browser/quality";
import {
  apply,
  controlledBy,
  isRelayed,
  isSeen,
  NEW_SESSION,
  type Participant,
  present,
  type Session,
  shownSurface,
} from "../../../signaling/browser/session";
import { TileViewer } from "../../../signaling/browser/tile_viewer";
import { type Source, Viewer } from "../../../signaling/browser/viewer";
import { at as address } from "../app/api";
import { complain, complainThat, problem } from "../app/toasts";
import { t } from "../app/words";
import type { Participation, SessionSummary } from "../http";
import { Voice } from "./voice";

const QUALITY_EVERY_MS = 2_000;
const CLIMB_EVERY_MS = 500;

/** A session that this page takes part in: what the server says of it, and the customer's picture. */
export class LiveSession {
  readonly link = signal<Link>("connecting");
  /** Why the server sent this page away for good. */
  readonly closed = signal<string | null>(null);
  readonly session = signal<Session>(NEW_SESSION);
  readonly events = signal<readonly Event[]>([]);
  readonly board = signal(Board.EMPTY);
  /** Who has a link at this moment; null until the server has said it. */
  readonly #presence = signal<readonly string[] | null>(null);
  /** Whether the events so far have been heard, so that what is shown is no guess. */
  readonly known = signal(false);
  /** The picture that comes, or is about to take the place of the one before. */
  readonly track = signal<MediaStreamTrack | null>(null);
  /** Whose connection carries what is shown. */
  readonly source = signal<Source | null>(null);
  /** The picture as live snapshots, while no media connection brings it. */
  readonly tiles = signal<HTMLCanvasElement | null>(null);
  /** Counts the frames of live snapshots. */
  readonly tileFrames = signal(0);
  readonly peer = signal<RTCPeerConnectionState>("new");
  readonly verification = signal<string | null>(null);
  readonly quality = signal<Quality | null>(null);
  /** Where others point, and what they are drawing, by participant. */
  readonly pointers = signal<ReadonlyMap<string, Pointer>>(new Map());
  readonly drawings = signal<ReadonlyMap<string, Annotation>>(new Map());
  readonly me = signal<string>("");
  readonly #readLines = signal(0);

  readonly ended = computed(() => this.session.value.phase === "ended");
  readonly seen = computed(() => isSeen(this.session.value));
  readonly shown = computed(() => shownSurface(this.session.value));
  /** Pictures are sent one by one: there is no video that could stand still, be measured or be recorded. */
  readonly pictures = computed(() => this.session.value.surface?.kind === "picture");
  /** How the picture comes; null while that is not known. */
  readonly way = computed<Path | null>(() =>
    this.tiles.value === null ? pathOf(this.source.value, this.quality.value) : "snapshots",
  );
  /** Whether what this agent does with mouse and keyboard is done on the customer's computer. */
  readonly controls = computed(() => controlledBy(this.session.value) === this.me.value);
  readonly customer = computed<Participant | null>(() => present(this.session.value, "customer")[0] ?? null);
  readonly unread = computed(() => {
    const lines = this.session.value.chat.slice(this.#readLines.value);
    return lines.filter((line) => line.author !== this.me.value).length;
  });

  readonly voice: Voice;
  readonly #connection: Connection;
  readonly #viewer: Viewer;
  readonly #tileViewer: TileViewer;
  readonly #ladder = new Ladder();
  readonly #timers: readonly number[];
  #reported: Path | null = null;

  constructor(
    readonly summary: SessionSummary,
    readonly participation: Participation,
  ) {
    this.me.value = participation.participant;
    this.#connection = new Connection({ token: participation.token });
    this.#viewer = new Viewer((message) => this.#connection.relay(message));
    this.#tileViewer = new TileViewer((message) => this.#connection.relay(message));
    this.voice = new Voice(this.#viewer, (command) => this.command(command));
    this.#listen();
    this.#timers = [
      window.setInterval(() => void this.#measure(), QUALITY_EVERY_MS),
      window.setInterval(() => this.#climb(), CLIMB_EVERY_MS),
    ];
    this.#connection.open();
  }

  get id(): string {
    return this.participation.session;
  }

  /** A participant's name; a customer who gave none is called just that, and what nobody did the system did. */
  nameOf(participant: string): string {
    const found = this.session.value.participants[participant];
    if (found === undefined) return t("chat.system");
    return found.name || (found.role === "customer" ? this.summary.customer_name || t("live.customer") : "");
  }

  /** Whether a participant who is in the session has no link at this moment. */
  isAway(participant: string): boolean {
    return !(this.#presence.value?.includes(participant) ?? true);
  }

  /** The server's time, ms since 1970. */
  now(): number {
    return this.#connection.now();
  }

  /** Sends a durable message; says what went wrong, and resolves to whether it was taken. */
  async command(command: Command): Promise<boolean> {
    const committed = await this.#connection.send(command);
    if (!committed.ok && committed.code !== "closed") {
      complainThat(problem(committed.code, committed.text));
    }
    return committed.ok;
  }

  /** Sends what may be lost; false while there is no link. */
  relay(message: Relayed): boolean {
    return this.seen.value && this.#connection.relay(message);
  }

  /** Lets all look at a snapshot, or at what is shared live again. */
  show(surface: string | null): Promise<boolean> {
    return this.command({ type: "show_surface", surface });
  }

  giveControlBack(): Promise<boolean> {
    return this.command({ type: "release_control" });
  }

  end(outcome: Outcome | null): Promise<boolean> {
    return this.command({ type: "end", outcome });
  }

  /** The first `count` lines of the chat have been before the agent's eyes. */
  read(count: number): void {
    if (count > this.#readLines.peek()) this.#readLines.value = count;
  }

  snapshotUrl(snapshot: string): string {
    return address`/api/sessions/${this.id}/snapshots/${snapshot}`;
  }

  /** This page goes; the session goes on. */
  close(): void {
    for (const timer of this.#timers) window.clearInterval(timer);
    this.#tileViewer.stop();
    this.voice.close();
    this.#viewer.close();
    this.#connection.close();
  }

  /** The page shows a frame of `track`. */
  shows(track: MediaStreamTrack): void {
    this.#viewer.shown(track);
  }

  #listen(): void {
    const connection = this.#connection;
    const viewer = this.#viewer;
    connection.on("link", (link) => {
      batch(() => {
        this.link.value = link;
        if (link !== "online") {
          this.pointers.value = new Map();
          this.drawings.value = new Map();
        }
      });
    });
    connection.on("welcome", (welcome) => {
      this.me.value = welcome.participant;
      viewer.setIceServers(rtcIceServers(welcome.ice_servers));
      if (welcome.seq <= this.session.value.seq) this.known.value = true;
      this.#tileViewer.relinked();
    });
    connection.on("iceServers", (servers) => viewer.setIceServers(rtcIceServers(servers)));
    connection.on("events", (events) => this.#take(events));
    connection.on("presence", (connected) => {
      this.#presence.value = connected;
      this.#want();
      const here = (id: string): boolean => connected.includes(id);
      batch(() => {
        this.pointers.value = new Map([...this.pointers.value].filter(([id]) => here(id)));
        this.drawings.value = new Map([...this.drawings.value].filter(([id]) => here(id)));
      });
    });
    connection.on("relay", (relay) => this.#hear(relay));
    connection.on("refused", ({ code }) => {
      if (code === "flood" || code === "too_fast") complain(new Error(code));
    });
    connection.on("closed", ({ code }) => {
      this.voice.close();
      this.closed.value = code;
    });
    this.#tileViewer.on("frame", (canvas) => {
      const first = this.tiles.value === null;
      batch(() => {
        this.tiles.value = canvas;
        this.tileFrames.value += 1;
      });
      if (first) void this.#measure();
    });
    viewer.on("track", (track) => {
      this.track.value = track;
    });
    viewer.on("source", (source) => {
      this.source.value = source;
      this.#reported = null;
      void this.#measure();
    });
    viewer.on("state", (state) => {
      this.peer.value = state;
    });
    viewer.on("verification", (phrase) => {
      this.verification.value = phrase;
    });
  }

  #take(events: readonly Event[]): void {
    const first = !this.known.peek();
    batch(() => {
      let session = this.session.value;
      let board = this.board.value;
      const drawings = new Map(this.drawings.value);
      for (const event of events) {
        session = apply(session, event);
        if (isBoardChange(event.body)) {
          board = board.apply(event.body, event.actor, event.at);
          drawings.delete(event.actor);
        }
      }
      this.session.value = session;
      this.board.value = board;
      this.drawings.value = drawings;
      this.events.value = [...this.events.value, ...events];
      this.known.value = true;
      // What was said before this page came is no news.
      if (first) this.#readLines.value = session.chat.length;
    });
    this.#want();
    this.voice.settle(this.session.value);
    if (first) this.#viewer.ask();
  }

  /** The customer whose screen is shared live; null when nobody's is. */
  get #sharer(): string | null {
    const { surface } = this.session.value;
    const live = this.seen.value && surface !== null && surface.kind !== "picture";
    return live ? (this.customer.value?.id ?? null) : null;
  }

  #want(): void {
    const customer = this.#sharer;
    const recorder = isRelayed(this.session.value) ? present(this.session.value, "recorder")[0]?.id : undefined;
    const linked = recorder !== undefined && !this.isAway(recorder);
    this.#viewer.want(customer === null ? null : { customer, recorder: recorder ?? null, linked });
    if (customer === null) this.#climb();
  }

  /** Up to media as soon as they bring the picture, and down to live snapshots when they do not. */
  #climb(): void {
    const customer = this.#sharer;
    if (customer === null) this.#ladder.reset();
    else if (this.#ladder.step(this.#viewer.flows, performance.now())) {
      this.#tileViewer.start(customer);
      return;
    }
    this.#tileViewer.stop();
    if (this.tiles.value === null) return;
    this.tiles.value = null;
    void this.#measure();
  }

  #hear({ sender, message }: Relay): void {
    switch (message.type) {
      case "offer":
      case "candidate":
        this.#viewer.receive(sender, message);
        break;
      case "tiles":
        this.#tileViewer.receive(sender, message);
        break;
      case "pointer": {
        const pointers = new Map(this.pointers.value);
        if (message.visible) pointers.set(sender, message);
        else pointers.delete(sender);
        this.pointers.value = pointers;
        break;
      }
      case "drawing": {
        const drawings = new Map(this.drawings.value);
        if (message.annotation === null) drawings.delete(sender);
        else drawings.set(sender, message.annotation);
        this.drawings.value = drawings;
        break;
      }
      default:
        break;
    }
  }

  async #measure(): Promise<void> {
    const quality = await this.#viewer.quality();
    this.quality.value = this.tiles.value === null ? quality : null;
    const path = this.way.value;
    if (path === null || path === this.#reported || this.link.value !== "online" || !this.seen.value) return;
    this.#reported = path;
    // A refusal only means that the session moved on meanwhile.
    await this.#connection.send({ type: "report_path", path });
  }
}

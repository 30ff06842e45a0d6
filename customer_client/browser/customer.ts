// The customer in a session: the connection, the session as folded so far, and what this page shares.
//
// What leaves this computer is decided here and at once: a stop or a pause closes the tap first and tells the server
// after, so that neither needs a network.

import { Board, isBoardChange } from "../../annotate/browser/board";
import { Asking, audienceOf } from "../../signaling/browser/audience";
import { Connection, type Link, randomIdentifier } from "../../signaling/browser/connection";
import { rtcIceServers } from "../../signaling/browser/description";
import { Emitter } from "../../signaling/browser/emitter";
import { LiveSnapshots } from "../../signaling/browser/live_snapshots";
import type { Event, Relay, Surface, SurfaceKind } from "../../signaling/browser/messages";
import { type Audience, Sender, type SenderEvents } from "../../signaling/browser/sender";
import {
  apply,
  isSeen,
  mustHold,
  NEW_SESSION,
  type Participant,
  present,
  type Session,
} from "../../signaling/browser/session";
import type { CustomerEvents, Interruption } from "./customer_events";
import type { Participation } from "./http";
import { livePicture } from "./live_picture";
import type { Mask } from "./masks";
import { Failure, sendPicture } from "./participation";
import { type Measured, SharedScreen } from "./shared_screen";
import { Voice } from "./voice";

/** The status of a refusal that came over the connection, as HTTP would give it. */
const REFUSED = 409;

export class Customer extends Emitter<CustomerEvents> {
  session: Session = NEW_SESSION;
  board = Board.EMPTY;
  events: Event[] = [];
  connected: readonly string[] = [];
  paused = false;
  /** Of what is captured now, nothing was ever to be seen: its parts are being covered first. */
  unseen = false;
  interruption: Interruption | null = null;
  /** Why the server will not have this page any more (`replaced`, ...); null while it will. */
  closed: string | null = null;
  left = false;
  /** Everything that happened before this page came has been folded. */
  caughtUp = false;

  readonly place: Participation;
  readonly voice: Voice;
  readonly screen: SharedScreen;
  readonly #connection: Connection;
  readonly #sender: Sender;
  readonly #snapshots: LiveSnapshots;
  readonly #label: (kind: SurfaceKind) => string;
  readonly #peers = new Map<string, SenderEvents["peer"]>();
  /** Surfaces that this page shared, or stopped. */
  readonly #surfaces = new Set<string>();
  readonly #asking = new Asking(() => this.#settleAudience());
  #iceReady = false;
  #offerRefused = false;

  constructor(place: Participation, label: (kind: SurfaceKind) => string) {
    super();
    this.place = place;
    this.#label = label;
    this.#connection = new Connection({ token: place.token });
    this.#sender = new Sender((message) => this.#connection.relay(message));
    this.voice = new Voice(this.#sender, this.#connection, () => this.emit("change", undefined));
    this.screen = new SharedScreen(label);
    this.#snapshots = new LiveSnapshots(this.#connection, livePicture(this.screen));
    this.#listen();
  }

  open(): void {
    this.#connection.open();
  }

  get link(): Link {
    return this.#connection.link;
  }

  get now(): number {
    return this.#connection.now();
  }

  /** Something was done here that the server has not confirmed yet. */
  get unsettled(): boolean {
    return this.#connection.unsettled;
  }

  /** What leaves of the captured screen; null while nothing is captured. */
  get track(): MediaStreamTrack | null {
    return this.screen.track;
  }

  /** Whether this page shows anything to anyone: live, or as pictures. */
  get sharing(): boolean {
    return this.track !== null || (isSeen(this.session) && this.session.surface?.kind === "picture");
  }

  get agents(): Participant[] {
    return present(this.session, "agent");
  }

  /** Agents who have a link to the server, or still see this screen without it. */
  get watching(): Participant[] {
    const [recorder] = present(this.session, "recorder");
    const carrier = (id: string) => (this.session.paths[id] === "recorder" && recorder ? recorder.id : id);
    const isFed = (id: string) => this.#peers.get(carrier(id))?.state === "connected";
    return this.agents.filter(({ id }) => (this.link === "online" && this.connected.includes(id)) || isFed(id));
  }

  /** Whether frames reach anyone at this moment. */
  get visible(): boolean {
    return this.track !== null && !this.paused && [...this.#peers.values()].some((peer) => peer.state === "connected");
  }

  /** The phrase to compare with an agent, and with which; null while no connection to one stands. */
  get verification(): { phrase: string; agent: string } | null {
    for (const { id, name } of this.agents) {
      const phrase = this.#peers.get(id)?.verification;
      if (phrase) return { phrase, agent: name };
    }
    return null;
  }

  /** Says yes to being seen, and yes or no to being recorded when that was asked. */
  consent(record: boolean): void {
    this.interruption = null;
    void this.#connection.send({ type: "give_consent", scope: "view", granted: true });
    if (this.session.askRecording || this.session.consents.record === "asked") this.consentRecording(record);
    this.#settleAudience();
  }

  consentRecording(granted: boolean): void {
    void this.#connection.send({ type: "give_consent", scope: "record", granted });
  }

  /** Takes back what was agreed to, before anything was shared. */
  withdraw(): void {
    void this.#connection.send({ type: "give_consent", scope: "view", granted: false });
  }

  /** Shares a captured track: the server is told and everyone is offered to in one breath; `unseen` begins paused. */
  share(track: MediaStreamTrack, unseen = false): void {
    this.paused = this.unseen = unseen;
    this.interruption = null;
    this.screen.begin(track, randomIdentifier());
    this.#surfaces.add(this.screen.id);
    this.emit("change", undefined);
  }

  cover(masks: readonly Mask[]): void {
    this.screen.cover(masks);
    this.emit("change", undefined);
  }

  /** Shares pictures instead: nothing is captured, and each picture is sent by itself. */
  async sharePictures(): Promise<boolean> {
    this.interruption = null;
    const surface: Surface = { id: randomIdentifier(), kind: "picture", label: "", width: 1, height: 1 };
    return this.#start(surface);
  }

  /** Sends a picture and lets all look at it. */
  async sendPicture(picture: Blob): Promise<void> {
    const about = { kind: "picture", label: this.#label("picture"), requestedBy: null };
    const { surface } = await sendPicture(this.place, picture, about);
    const shown = await this.#connection.send({ type: "show_surface", surface: surface.id });
    if (!shown.ok) throw new Failure(shown.code, shown.text, "", REFUSED);
  }

  pause(): void {
    if (!this.track || this.paused) return;
    this.paused = true;
    this.#sender.pause();
    this.#snapshots.show(null);
    void this.#connection.send({ type: "pause_sharing" });
    this.emit("change", undefined);
  }

  resume(): void {
    if (!this.track || !this.paused || mustHold(this.session)) return;
    this.paused = this.unseen = false;
    this.#sender.resume();
    void this.#connection.send({ type: "resume_sharing" });
    this.emit("change", undefined);
  }

  stop(): void {
    const shared = this.sharing;
    this.#closeTap();
    if (shared) void this.#connection.send({ type: "stop_sharing" });
    this.emit("change", undefined);
  }

  showLive(): void {
    void this.#connection.send({ type: "show_surface", surface: null });
  }

  /** Says a line; settles, however long that takes, with the code of a refusal, or with null when it was said. */
  async say(text: string): Promise<string | null> {
    const said = await this.#connection.send({ type: "say", text });
    return said.ok ? null : said.code;
  }

  /** Goes for good. */
  async leave(): Promise<void> {
    this.left = true;
    this.stop();
    await Promise.race([this.#connection.send({ type: "leave" }), new Promise((done) => setTimeout(done, 5_000))]);
    this.#connection.close();
  }

  /** The page is being closed or loaded again: say so while there is a link. */
  depart(): void {
    if (this.track) this.stop();
  }

  #listen(): void {
    const connection = this.#connection;
    connection.on("welcome", (welcome) => {
      if (!welcome.turn) this.#useIceServers(rtcIceServers(welcome.ice_servers));
      this.#sender.relinked();
      this.#snapshots.relinked();
    });
    connection.on("iceServers", (servers) => this.#useIceServers(rtcIceServers(servers)));
    connection.on("events", (events) => this.#fold(events));
    connection.on("presence", (connected) => {
      this.connected = connected;
      // The first thing after the events that were missed.
      this.caughtUp = true;
      this.#settleAudience();
      this.emit("change", undefined);
    });
    connection.on("relay", (relay) => this.#receive(relay));
    connection.on("refused", () => {
      this.#offerRefused = true;
    });
    connection.on("link", () => {
      this.#settleAudience();
      this.emit("change", undefined);
    });
    connection.on("closed", ({ code }) => {
      this.closed = code;
      this.#closeTap();
      this.emit("change", undefined);
    });
    this.screen.on("measured", (measured) => this.#describe(measured));
    this.screen.on("track", (track) => this.screen.surface && this.#sender.share(track, this.paused));
    this.screen.on("ended", () => this.stop());
    this.#sender.on("peer", (peer) => {
      this.#peers.set(peer.participant, peer);
      this.emit("change", undefined);
    });
  }

  /** The server pauses what could not be recorded, and lets it go on by itself. */
  #holdOrGoOn(type: Event["body"]["type"]): void {
    if (type === "sharing_paused") {
      this.paused = true;
      this.#sender.pause();
      this.#snapshots.show(null);
    } else if (type === "sharing_resumed" && this.unseen) {
      // Recorded or not, it is still being covered: only who shares it lets it be seen.
      void this.#connection.send({ type: "pause_sharing" });
    } else if (type === "sharing_resumed") {
      this.paused = false;
      this.#sender.resume();
    }
  }

  #fold(events: readonly Event[]): void {
    for (const event of events) {
      const mine = this.track !== null && isSeen(this.session) && this.session.surface?.id === this.screen.id;
      this.session = apply(this.session, event);
      this.events.push(event);
      this.#asking.follow(event);
      if (isBoardChange(event.body)) this.board = this.board.apply(event.body, event.actor, event.at);
      // Nobody here stopped: the server did, because we were away too long, or the agent ended the session.
      if (event.body.type === "sharing_stopped" && mine) {
        this.#closeTap();
        this.interruption = "away";
      }
      if (event.body.type === "session_ended") this.#closeTap();
      if (event.body.type === "left") this.#snapshots.forget(event.body.participant);
      if (event.actor !== this.place.participant && this.track) this.#holdOrGoOn(event.body.type);
    }
    this.#stopOrphan();
    this.voice.settle(this.session.consents.voice, this.track !== null);
    this.#settleAudience();
    const live = this.track !== null && !this.paused && isSeen(this.session) && this.session.phase === "sharing";
    this.#snapshots.show(live && this.session.surface?.id === this.screen.id ? this.screen.id : null);
    if (this.#offerRefused && isSeen(this.session)) {
      this.#offerRefused = false;
      this.#sender.repeat();
    }
    for (const event of events) this.emit("event", event);
    this.emit("change", undefined);
  }

  /** A screen that the session says is shared, but not by this page: it was shared before a reload, or in another tab. */
  #stopOrphan(): void {
    const { surface } = this.session;
    if (!isSeen(this.session) || !surface || surface.kind === "picture" || this.#surfaces.has(surface.id)) return;
    this.#surfaces.add(surface.id);
    this.interruption = "reloaded";
    void this.#connection.send({ type: "stop_sharing" });
  }

  #receive({ sender, message }: Relay): void {
    switch (message.type) {
      case "reoffer":
        this.#asking.add(sender);
        this.#settleAudience();
        this.#sender.receive(sender, message);
        break;
      case "answer":
      case "candidate":
        this.#sender.receive(sender, message);
        break;
      case "ask_tiles":
        this.#snapshots.receive(sender, message);
        break;
      case "pointer":
        this.emit("pointer", { sender, pointer: message });
        break;
      case "drawing":
        this.emit("drawing", { sender, annotation: message.annotation });
        break;
      case "request_snapshot":
        void this.#answerSnapshot(sender);
        break;
      default:
        break;
    }
  }

  async #answerSnapshot(requestedBy: string): Promise<void> {
    const { track } = this;
    if (!track || this.paused || !isSeen(this.session)) return;
    try {
      const picture = await this.screen.still();
      if (this.track !== track || this.paused) return;
      const kind = this.screen.surface?.kind ?? "monitor";
      await sendPicture(this.place, picture, { kind, label: this.#label(kind), requestedBy });
    } catch {
      // The agent did not get the picture in time, and keeps what is seen there instead.
    }
  }

  /** Tells the server what is shared as soon as its size is known, and again when that changes. */
  #describe({ surface, first }: Measured): void {
    if (!first) void this.#connection.send({ type: "change_surface", surface, controllable: false });
    if (!first || !this.track) return;
    void this.#start(surface);
    if (this.paused) void this.#connection.send({ type: "pause_sharing" });
    this.#sender.share(this.track, this.paused);
    this.#settleAudience();
  }

  async #start(surface: Surface): Promise<boolean> {
    const started = await this.#connection.send({ type: "start_sharing", surface, controllable: false });
    if (started.ok) return true;
    this.#closeTap();
    this.emit("refused", { code: started.code });
    this.emit("change", undefined);
    return false;
  }

  /** From here on nothing leaves this computer, whatever the network does. */
  #closeTap(): void {
    this.#sender.stop();
    this.#snapshots.stop();
    this.screen.end();
    this.#peers.clear();
    this.voice.settle(undefined, false);
    this.paused = this.unseen = false;
  }

  #useIceServers(servers: RTCIceServer[]): void {
    this.#iceReady = true;
    this.#sender.setIceServers(servers);
  }

  #settleAudience(): void {
    // Prepared while the customer still reads the question; nothing is offered before the answer.
    const asked = ["asked", "given"].includes(this.session.consents.view ?? "") || this.track !== null;
    const viewers = audienceOf(this.session, this.#asking, this.#sender);
    const audience: Audience[] = viewers.map(({ id }) => ({
      id,
      reachable: this.link === "online" && this.connected.includes(id),
    }));
    this.#sender.setAudience(asked && this.#iceReady ? audience : []);
    for (const id of [...this.#peers.keys()]) if (!viewers.some((viewer) => viewer.id === id)) this.#peers.delete(id);
  }
}

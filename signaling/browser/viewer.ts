// The side that sees: it answers offers of the customer, or of the recorder that hands the customer's picture on, and
// asks for a new one when the picture does not come. One way gives way to another only when that has shown a frame.
// It needs the server only to begin: a connection that stands lives on while the link to the server is down.

import { IncomingCandidates, outgoingCandidate } from "./description";
import { Emitter } from "./emitter";
import { feed } from "./feed";
import type { Candidate, Offer } from "./messages";
import { Pulse } from "./pulse";
import { answeredChecks, audioLevel, type Quality, receivedBytes, summarize, type Totals } from "./quality";
import type { Relaying } from "./sender";
import { verificationPhrase } from "./verification";

const OFFER_WITHIN_MS = 2_000;
const RECOVER_WITHIN_MS = 3_000;
const ASK_EVERY_MS = 4_000;
/** What was answered has so long before another connection is asked for. */
const STANDS_WITHIN_MS = 5_000;
/** So long what is replaced is kept, for its sender to hear of it and end it in order. */
const RETIRE_AFTER_MS = 2_000;
const LISTEN_EVERY_MS = 250;
/** Every 2.5 s ICE asks whether the other end is still there, even when there is nothing to send. */
const SILENT_AFTER_MS = 3_500;

/** Whose connection the picture comes over. */
export type Source = "customer" | "recorder";

/** Who is to send the picture. */
export interface Sources {
  customer: string;
  /** Hands the picture on; null when it comes from the customer directly. */
  recorder: string | null;
  /** Whether the recorder has a link to the server at this moment. */
  linked: boolean;
}

export interface ViewerEvents {
  /** The picture to show as soon as it has a frame, and then to say so to `shown`; null when there is none. */
  track: MediaStreamTrack | null;
  /** Whose connection carries what is shown from now on; null when nothing is. */
  source: Source | null;
  /** The customer's voice; null when there is none. */
  voice: MediaStreamTrack | null;
  state: RTCPeerConnectionState;
  /** The phrase that both screens show, once the connection stands. */
  verification: string | null;
}

interface Incoming {
  id: string;
  sender: string;
  pc: RTCPeerConnection;
  candidates: IncomingCandidates;
  video: MediaStreamTrack | null;
  voice: MediaStreamTrack | null;
  /** What carries our own voice, once the offer is known. */
  speaker: RTCRtpSender | null;
  shown: boolean;
  pulse: Pulse;
}

export class Viewer extends Emitter<ViewerEvents> {
  verification: string | null = null;
  state: RTCPeerConnectionState = "new";

  readonly #relay: Relaying;
  #iceServers: RTCIceServer[] = [];
  /** Made ahead: a page's first peer connection takes tens of milliseconds, which the first picture would wait for. */
  #spare: RTCPeerConnection | null = null;
  #sources: Sources | null = null;
  #current: Incoming | null = null;
  /** Answered, and not yet carrying the picture; by their senders. */
  readonly #next = new Map<string, Incoming>();
  /** The customer was asked for a connection since the picture last came. */
  #asked = false;
  #voice: MediaStreamTrack | null = null;
  #totals: Totals | null = null;
  #ask: ReturnType<typeof setTimeout> | undefined;
  #listening: ReturnType<typeof setInterval> | undefined;

  constructor(relay: Relaying) {
    super();
    this.#relay = relay;
  }

  setIceServers(servers: RTCIceServer[]): void {
    this.#iceServers = servers;
    if (this.#all.length === 0) this.#spare ??= new RTCPeerConnection({ bundlePolicy: "max-bundle" });
  }

  /** Who is to send the picture; null when nothing is shared. Without an offer in 2 s the viewer asks for one. */
  want(sources: Sources | null): void {
    const before = this.#sources;
    this.#sources = sources;
    if (sources === null) {
      if (before !== null) this.#clear();
      return;
    }
    if (sources.customer !== before?.customer) this.#askIn(OFFER_WITHIN_MS);
    else if (before.recorder !== null && sources.recorder === null && this.#isHandedOn) this.ask();
  }

  /** Asks at once: for who comes back to a picture that is already shared (after a reload). */
  ask(): void {
    if (this.#sources === null) return;
    const { customer, recorder } = this.#sources;
    const handedOn = recorder !== null && this.#current === null && !this.#asked;
    this.#asked = true;
    this.#relay({ type: "reoffer", to: handedOn ? recorder : customer });
    this.#askIn(handedOn ? OFFER_WITHIN_MS : ASK_EVERY_MS);
  }

  receive(sender: string, message: Offer | Candidate): void {
    const known = this.#all.find(({ id }) => id === message.connection);
    if (message.type === "candidate") known?.candidates.add(message);
    else if (!known && !this.#isSuperfluous(sender)) void this.#answer(sender, message);
  }

  /** The page shows a frame of `track`: what carried the picture before is not needed any more. */
  shown(track: MediaStreamTrack): void {
    const incoming = this.#all.find(({ video }) => video === track);
    if (!incoming || incoming.shown) return;
    incoming.shown = true;
    this.#promote(incoming);
    clearTimeout(this.#ask);
    clearInterval(this.#listening);
    const every = this.#isHandedOn ? LISTEN_EVERY_MS : 2 * LISTEN_EVERY_MS;
    this.#listening = setInterval(() => void this.#listen(incoming), every);
    this.emit("source", this.#isHandedOn ? "recorder" : "customer");
  }

  /** Lets the customer hear `track`; with null nothing is heard, and no packet of a voice goes out. */
  setVoice(track: MediaStreamTrack | null): void {
    this.#voice = track;
    if (this.#current?.speaker) feed(this.#current.speaker, track);
  }

  /** How loud the customer's voice is at this moment, 0..1. */
  async voiceLevel(): Promise<number> {
    const incoming = this.#current;
    if (!incoming?.voice || incoming.pc.connectionState === "closed") return 0;
    return audioLevel(await incoming.pc.getStats(incoming.voice));
  }

  /** How good the connection is at this moment; null when there is none. */
  async quality(): Promise<Quality | null> {
    const incoming = this.#current;
    if (!incoming || incoming.pc.connectionState === "closed") return null;
    const { quality, totals } = summarize(await incoming.pc.getStats(), this.#totals);
    this.#totals = totals;
    return quality;
  }

  close(): void {
    this.#sources = null;
    this.#clear();
    this.#spare?.close();
    this.#spare = null;
  }

  /** Whether the picture that is shown comes over a connection that lives. */
  get flows(): boolean {
    const current = this.#current;
    return current?.shown === true && current.pc.connectionState === "connected" && !current.pulse.stopped;
  }

  get #all(): Incoming[] {
    return [this.#current, ...this.#next.values()].filter((each) => each !== null);
  }

  /** Whether the picture does not come from the customer directly. */
  get #isHandedOn(): boolean {
    return this.#current !== null && this.#current.sender !== this.#sources?.customer;
  }

  /** Whether an offer of the customer crosses a picture that the recorder hands on as it should. */
  #isSuperfluous(sender: string): boolean {
    const fine = this.#isHandedOn && this.#current?.shown && this.#sources?.recorder !== null;
    return fine === true && !this.#asked && sender === this.#sources?.customer;
  }

  #open(): RTCPeerConnection {
    const pc = this.#spare ?? new RTCPeerConnection({ bundlePolicy: "max-bundle" });
    this.#spare = null;
    pc.setConfiguration({ ...pc.getConfiguration(), iceServers: this.#iceServers });
    return pc;
  }

  async #answer(sender: string, offer: Offer): Promise<void> {
    const pc = this.#open();
    const incoming: Incoming = {
      id: offer.connection,
      sender,
      pc,
      candidates: new IncomingCandidates(pc),
      video: null,
      voice: null,
      speaker: null,
      shown: false,
      pulse: sender === this.#sources?.customer ? new Pulse(SILENT_AFTER_MS) : new Pulse(),
    };
    const replaced = this.#next.get(sender);
    if (replaced) this.#end(replaced);
    this.#next.set(sender, incoming);
    clearTimeout(this.#ask);
    pc.ontrack = ({ track }) => {
      incoming[track.kind === "video" ? "video" : "voice"] = track;
    };
    pc.onicecandidate = ({ candidate }) => {
      if (candidate?.candidate !== "") this.#relay(outgoingCandidate(sender, offer.connection, candidate));
    };
    pc.onconnectionstatechange = () => void this.#watch(incoming);
    try {
      await pc.setRemoteDescription({ type: "offer", sdp: offer.sdp });
      const voice = pc.getTransceivers().find((each) => each.receiver.track.kind === "audio");
      if (voice) {
        voice.direction = "sendrecv";
        incoming.speaker = voice.sender;
      }
      await pc.setLocalDescription();
      if (!pc.localDescription) return;
      this.#relay({ type: "answer", to: sender, connection: offer.connection, sdp: pc.localDescription.sdp });
      incoming.candidates.described();
      // With no picture to lose there is nothing to wait for. The last one of a broken connection is better than none.
      const current = this.#current;
      const isLost = current?.sender === sender && current.pc.connectionState !== "connected";
      if (!current || (isLost && !current.shown)) this.#promote(incoming);
      this.emit("track", incoming.video);
      this.#askIn(STANDS_WITHIN_MS);
    } catch {
      if (this.#next.get(sender) === incoming) this.#next.delete(sender);
      this.#end(incoming);
      this.#askIn(ASK_EVERY_MS);
    }
  }

  async #watch(incoming: Incoming): Promise<void> {
    if (incoming !== this.#current) return;
    const { pc } = incoming;
    const state = pc.connectionState;
    this.state = state;
    this.emit("state", state);
    if (state === "connected") {
      // What the recorder hands on is not encrypted for the customer's eyes and ours alone: there is nothing to prove.
      const verification = this.#isHandedOn ? null : await verificationPhrase(pc);
      if (incoming === this.#current) this.#verify(verification);
    } else if (state === "failed" || state === "disconnected") {
      this.#askIn(RECOVER_WITHIN_MS);
    }
  }

  #promote(incoming: Incoming): void {
    const before = this.#current;
    if (before === incoming) return;
    if (this.#next.get(incoming.sender) === incoming) this.#next.delete(incoming.sender);
    this.#current = incoming;
    this.#asked = false;
    this.#totals = null;
    // Only one way at a time carries our voice, or it would be heard twice.
    if (before?.speaker) feed(before.speaker, null);
    if (incoming.speaker) feed(incoming.speaker, this.#voice);
    if (before) this.#retire(before);
    if (incoming.sender === this.#sources?.recorder) {
      // It is the way that is wanted: what else was asked for meanwhile would only take the picture away from it.
      for (const other of this.#next.values()) this.#end(other);
      this.#next.clear();
    }
    this.emit("voice", incoming.voice);
    void this.#watch(incoming);
  }

  #askIn(delay: number): void {
    clearTimeout(this.#ask);
    if (this.#sources === null) return;
    this.#ask = setTimeout(() => {
      if (this.#isWanting) this.ask();
      else if (this.#asked) this.#askIn(ASK_EVERY_MS);
    }, delay);
  }

  /** Whether the picture does not come as it should, and nothing is on its way that would mend it. */
  get #isWanting(): boolean {
    const current = this.#current;
    if (this.#next.get(this.#sources?.customer ?? "")?.pc.connectionState === "connected") return false;
    if (current?.pc.connectionState !== "connected") return true;
    return current.pulse.stopped || (this.#isHandedOn && this.#sources?.recorder === null);
  }

  /** Who was killed, or is cut off, says nothing any more, and its connection fails only after long seconds. */
  async #listen(incoming: Incoming): Promise<void> {
    const report = incoming.pc.connectionState === "closed" ? null : await incoming.pc.getStats();
    if (incoming !== this.#current || this.#sources === null) return;
    const { customer, recorder } = this.#sources;
    const direct = incoming.sender === customer;
    const linked = direct || (this.#sources.linked && recorder === incoming.sender);
    // A recorder to whom nothing comes any more goes on answering, and only its reports stop.
    const heard = report && receivedBytes(report) + (direct ? answeredChecks(report) : 0);
    if (heard !== null) incoming.pulse.hear(heard, performance.now(), linked);
    if (incoming.pulse.stopped && !this.#asked) this.ask();
  }

  #verify(verification: string | null): void {
    this.verification = verification;
    this.emit("verification", verification);
  }

  #clear(): void {
    clearTimeout(this.#ask);
    clearInterval(this.#listening);
    const all = this.#all;
    for (const incoming of all) this.#end(incoming);
    if (all.length === 0) return;
    this.#current = null;
    this.#next.clear();
    this.#asked = false;
    this.state = "closed";
    this.emit("track", null);
    this.emit("source", null);
    this.emit("voice", null);
    this.emit("state", "closed");
    this.#verify(null);
  }

  #retire(incoming: Incoming): void {
    const { pc } = incoming;
    pc.ontrack = pc.onicecandidate = pc.onconnectionstatechange = null;
    setTimeout(() => pc.close(), RETIRE_AFTER_MS);
  }

  #end(incoming: Incoming): void {
    const { pc } = incoming;
    pc.ontrack = pc.onicecandidate = pc.onconnectionstatechange = null;
    pc.close();
  }
}

// The side that sees: it answers the customer's offers, and asks for a new one when the picture does not come.
// It needs the server only to begin: a connection that stands lives on while the link to the server is down.

import { IncomingCandidates, outgoingCandidate } from "./description";
import { Emitter } from "./emitter";
import type { Candidate, Offer } from "./messages";
import { type Quality, summarize, type Totals } from "./quality";
import type { Relaying } from "./sender";
import { verificationPhrase } from "./verification";

const OFFER_WITHIN_MS = 2_000;
const RECOVER_WITHIN_MS = 3_000;
const ASK_EVERY_MS = 4_000;

export interface ViewerEvents {
  /** The picture to show from now on; null when there is none. */
  track: MediaStreamTrack | null;
  /** The customer's voice; null when there is none. */
  voice: MediaStreamTrack | null;
  state: RTCPeerConnectionState;
  /** The phrase that both screens show, once the connection stands. */
  verification: string | null;
}

interface Incoming {
  id: string;
  pc: RTCPeerConnection;
  candidates: IncomingCandidates;
  video: MediaStreamTrack | null;
  voice: MediaStreamTrack | null;
}

export class Viewer extends Emitter<ViewerEvents> {
  track: MediaStreamTrack | null = null;
  verification: string | null = null;
  state: RTCPeerConnectionState = "new";

  readonly #relay: Relaying;
  #iceServers: RTCIceServer[] = [];
  #customer: string | null = null;
  #current: Incoming | null = null;
  /** Answered, and not yet carrying the picture. */
  #next: Incoming | null = null;
  #totals: Totals | null = null;
  #ask: ReturnType<typeof setTimeout> | undefined;

  constructor(relay: Relaying) {
    super();
    this.#relay = relay;
  }

  setIceServers(servers: RTCIceServer[]): void {
    this.#iceServers = servers;
  }

  /** Whose picture is to be there; null when nothing is shared. Without an offer in 2 s the viewer asks for one. */
  want(customer: string | null): void {
    if (customer === this.#customer) return;
    this.#customer = customer;
    if (customer === null) this.#clear();
    else this.#askIn(OFFER_WITHIN_MS);
  }

  /** Asks at once: for who comes back to a picture that is already shared (after a reload). */
  ask(): void {
    if (this.#customer === null) return;
    this.#relay({ type: "reoffer", to: this.#customer });
    this.#askIn(ASK_EVERY_MS);
  }

  receive(sender: string, message: Offer | Candidate): void {
    if (message.type === "candidate") {
      for (const incoming of [this.#current, this.#next]) {
        if (incoming?.id === message.connection) incoming.candidates.add(message);
      }
      return;
    }
    if (message.connection === this.#current?.id || message.connection === this.#next?.id) return;
    void this.#answer(sender, message);
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
    this.#customer = null;
    this.#clear();
  }

  async #answer(sender: string, offer: Offer): Promise<void> {
    const pc = new RTCPeerConnection({ iceServers: this.#iceServers, bundlePolicy: "max-bundle" });
    const incoming: Incoming = {
      id: offer.connection,
      pc,
      candidates: new IncomingCandidates(pc),
      video: null,
      voice: null,
    };
    if (this.#next) this.#end(this.#next);
    this.#next = incoming;
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
      if (voice) voice.direction = "sendrecv";
      await pc.setLocalDescription();
      if (!pc.localDescription) return;
      this.#relay({ type: "answer", to: sender, connection: offer.connection, sdp: pc.localDescription.sdp });
      incoming.candidates.described();
      // The first picture needs no make-before-break: the element waits with the track for its first frame.
      if (this.#current?.pc.connectionState !== "connected") this.#promote(incoming);
      this.#askIn(ASK_EVERY_MS + RECOVER_WITHIN_MS);
    } catch {
      if (this.#next === incoming) this.#next = null;
      this.#end(incoming);
      this.#askIn(ASK_EVERY_MS);
    }
  }

  async #watch(incoming: Incoming): Promise<void> {
    const { pc } = incoming;
    const state = pc.connectionState;
    if (incoming === this.#next && state === "connected") this.#promote(incoming);
    if (incoming !== this.#current) return;
    this.state = state;
    this.emit("state", state);
    if (state === "connected") {
      clearTimeout(this.#ask);
      const verification = await verificationPhrase(pc);
      if (incoming === this.#current) this.#verify(verification);
    } else if (state === "failed" || state === "disconnected") {
      this.#askIn(RECOVER_WITHIN_MS);
    }
  }

  #promote(incoming: Incoming): void {
    if (this.#next === incoming) this.#next = null;
    if (this.#current === incoming) return;
    if (this.#current) this.#end(this.#current);
    this.#current = incoming;
    this.#totals = null;
    this.track = incoming.video;
    this.emit("track", incoming.video);
    this.emit("voice", incoming.voice);
  }

  #askIn(delay: number): void {
    clearTimeout(this.#ask);
    if (this.#customer === null) return;
    this.#ask = setTimeout(() => {
      if (this.#current?.pc.connectionState !== "connected") this.ask();
    }, delay);
  }

  #verify(verification: string | null): void {
    this.verification = verification;
    this.emit("verification", verification);
  }

  #clear(): void {
    clearTimeout(this.#ask);
    for (const incoming of [this.#current, this.#next]) if (incoming) this.#end(incoming);
    if (!this.#current && !this.#next) return;
    this.#current = this.#next = null;
    this.track = null;
    this.state = "closed";
    this.emit("track", null);
    this.emit("voice", null);
    this.emit("state", "closed");
    this.#verify(null);
  }

  #end(incoming: Incoming): void {
    incoming.pc.ontrack = incoming.pc.onicecandidate = incoming.pc.onconnectionstatechange = null;
    incoming.pc.close();
  }
}

// Media from the customer's page to those who see it. Only this side offers, so there is never glare: a broken
// connection is replaced by a new one, and the old one is kept until the new one carries the picture.

import { randomIdentifier } from "./connection";
import { addScreen, IncomingCandidates, outgoingCandidate, withStartBitrate } from "./description";
import { Emitter } from "./emitter";
import { feed } from "./feed";
import type { Answer, Candidate, Offer, Relayed, Reoffer } from "./messages";
import { verificationPhrase } from "./verification";

/** A recorder answers only after five seconds when there is a TURN server that does not answer it. */
const ANSWER_WITHIN_MS = 7_000;
const RECOVER_WITHIN_MS = 3_000;
const RENEW_AT_MOST_EVERY_MS = 2_000;
/** What was prepared longer ago than this may hold candidates of a network that is gone. */
const PREPARED_FOR_MS = 60_000;

/** Passes an ephemeral message on; false when there is no link. */
export type Relaying = (message: Relayed) => boolean;

export interface Audience {
  id: string;
  /** Has a link to the server now, so that an offer can reach it. */
  reachable: boolean;
}

interface Outgoing {
  id: string;
  pc: RTCPeerConnection;
  video: RTCRtpSender;
  /** Both ways: ours goes up, and that of who sees comes down. */
  voice: RTCRtpTransceiver;
  incoming: IncomingCandidates;
  /** The offer and the candidates of it that were gathered, in the order in which they are to be sent. */
  messages: (Offer | Candidate)[];
  sent: boolean;
  answered: boolean;
  madeAt: number;
  timer: ReturnType<typeof setTimeout> | undefined;
}

interface Destination {
  reachable: boolean;
  current: Outgoing;
  /** The one before, which carries the picture until `current` does. */
  retiring: Outgoing | null;
}

export interface SenderEvents {
  /** How the connection to a participant is; `verification` is the phrase once it stands. */
  peer: { participant: string; state: RTCPeerConnectionState; verification: string | null };
  /** The voice that comes over the connection to a participant; null when that is gone. */
  voice: { participant: string; track: MediaStreamTrack | null };
}

/** The customer's side: one peer connection for each who sees. */
export class Sender extends Emitter<SenderEvents> {
  readonly #relay: Relaying;
  readonly #destinations = new Map<string, Destination>();
  #iceServers: RTCIceServer[] | null = null;
  #audience: readonly Audience[] = [];
  #track: MediaStreamTrack | null = null;
  #voice: MediaStreamTrack | null = null;
  #paused = false;

  constructor(relay: Relaying) {
    super();
    this.#relay = relay;
  }

  /** From now on connections use these; until the first time there are none, so nothing is offered. */
  setIceServers(servers: RTCIceServer[]): void {
    this.#iceServers = servers;
    this.#settle();
  }

  /** Who is to see. Connections are prepared at once, and offered when there is something to share. */
  setAudience(audience: readonly Audience[]): void {
    this.#audience = audience;
    this.#settle();
  }

  /** Whether there is a connection to a participant, or one is being made. */
  serves(participant: string): boolean {
    return this.#destinations.has(participant);
  }

  /** Offers `track` to all of the audience, in place of the one before; while `paused` not one frame of it goes out. */
  share(track: MediaStreamTrack, paused = false): void {
    this.#track = track;
    this.#paused = paused;
    track.contentHint = "text";
    if (track.contentHint !== "text") track.contentHint = "detail";
    this.#settle();
  }

  /** Not one frame goes out until `resume`. */
  pause(): void {
    this.#paused = true;
    this.#feed();
  }

  resume(): void {
    this.#paused = false;
    this.#feed();
  }

  /** Lets all of the audience hear `track`; with null they hear nothing, and no packet of a voice goes out. */
  setVoice(track: MediaStreamTrack | null): void {
    this.#voice = track;
    this.#feed();
  }

  /** Ends every connection; the audience stays known for the next time. */
  stop(): void {
    this.#track = null;
    for (const id of [...this.#destinations.keys()]) this.#drop(id);
  }

  /** The server refused something, perhaps an offer that came too early: what is unanswered is sent once more. */
  repeat(): void {
    for (const { current } of this.#destinations.values()) {
      if (current.sent && !current.answered) for (const message of current.messages) this.#relay(message);
    }
  }

  /** The link to the server is back: what was not answered before is offered anew. */
  relinked(): void {
    for (const [id, { current }] of this.#destinations) if (this.#track && !current.answered) this.#renew(id);
  }

  receive(sender: string, message: Answer | Candidate | Reoffer): void {
    const destination = this.#destinations.get(sender);
    if (!destination) return;
    if (message.type === "reoffer") {
      const { current } = destination;
      const early = RENEW_AT_MOST_EVERY_MS - (Date.now() - current.madeAt);
      if (early <= 0) {
        this.#renew(sender);
      } else if (current.answered) {
        // Who asks so soon has lost what it answered, as by a reload; what is not answered yet may still reach it.
        clearTimeout(current.timer);
        current.timer = setTimeout(() => this.#renew(sender, current), early);
      }
      return;
    }
    const outgoing = [destination.current, destination.retiring].find((each) => each?.id === message.connection);
    if (!outgoing) return;
    if (message.type === "candidate") outgoing.incoming.add(message);
    else void this.#accept(sender, outgoing, message);
  }

  #settle(): void {
    const wanted = new Map(this.#audience.map((each) => [each.id, each]));
    for (const id of [...this.#destinations.keys()]) if (!wanted.has(id)) this.#drop(id);
    if (!this.#iceServers) return;
    for (const { id, reachable } of this.#audience) {
      const destination = this.#destinations.get(id);
      if (!destination) {
        if (reachable) this.#destinations.set(id, { reachable, current: this.#open(id), retiring: null });
      } else {
        const returned = reachable && !destination.reachable;
        destination.reachable = reachable;
        if (returned && this.#track && destination.current.pc.connectionState !== "connected") this.#renew(id);
      }
    }
    this.#feed();
    if (this.#track) for (const [id, { current }] of this.#destinations) this.#offer(id, current);
  }

  #offer(id: string, outgoing: Outgoing): void {
    if (!outgoing.sent && Date.now() - outgoing.madeAt > PREPARED_FOR_MS) this.#renew(id, outgoing);
    else this.#send(outgoing);
  }

  #feed(): void {
    const track = this.#paused ? null : this.#track;
    for (const { current, retiring } of this.#destinations.values()) {
      for (const outgoing of [current, retiring]) {
        if (!outgoing) continue;
        feed(outgoing.video, track);
        feed(outgoing.voice.sender, this.#voice);
      }
    }
  }

  #open(to: string): Outgoing {
    const pc = new RTCPeerConnection({ iceServers: this.#iceServers ?? [], bundlePolicy: "max-bundle" });
    const video = addScreen(pc).sender;
    const voice = pc.addTransceiver("audio", { direction: "sendrecv" });
    const outgoing: Outgoing = {
      id: randomIdentifier(),
      pc,
      video,
      voice,
      incoming: new IncomingCandidates(pc),
      messages: [],
      sent: false,
      answered: false,
      madeAt: Date.now(),
      timer: undefined,
    };
    pc.onicecandidate = ({ candidate }) => {
      if (candidate?.candidate === "") return;
      const message = outgoingCandidate(to, outgoing.id, candidate);
      outgoing.messages.push(message);
      if (outgoing.sent) this.#relay(message);
    };
    pc.onconnectionstatechange = () => void this.#watch(to, outgoing);
    void pc.setLocalDescription().then(() => {
      const sdp = pc.localDescription?.sdp;
      if (!sdp || pc.signalingState === "closed") return;
      outgoing.messages.unshift({ type: "offer", to, connection: outgoing.id, sdp });
      if (this.#track && this.#destinations.get(to)?.current === outgoing) this.#send(outgoing);
    });
    return outgoing;
  }

  #send(outgoing: Outgoing): void {
    if (outgoing.sent || outgoing.messages[0]?.type !== "offer") return;
    outgoing.sent = true;
    outgoing.madeAt = Date.now();
    const to = outgoing.messages[0].to;
    for (const message of outgoing.messages) this.#relay(message);
    outgoing.timer = setTimeout(() => this.#renew(to, outgoing), ANSWER_WITHIN_MS);
  }

  async #accept(sender: string, outgoing: Outgoing, answer: Answer): Promise<void> {
    if (outgoing.answered) return;
    outgoing.answered = true;
    clearTimeout(outgoing.timer);
    try {
      await outgoing.pc.setRemoteDescription({ type: "answer", sdp: withStartBitrate(answer.sdp) });
      outgoing.incoming.described();
    } catch {
      this.#renew(sender, outgoing);
    }
  }

  async #watch(to: string, outgoing: Outgoing): Promise<void> {
    const { pc } = outgoing;
    const state = pc.connectionState;
    const destination = this.#destinations.get(to);
    if (!destination || destination.current !== outgoing) return;
    clearTimeout(outgoing.timer);
    if (state === "failed") this.#renew(to, outgoing);
    if (state === "disconnected") outgoing.timer = setTimeout(() => this.#renew(to, outgoing), RECOVER_WITHIN_MS);
    if (state === "connected" && destination.retiring) {
      this.#end(destination.retiring);
      destination.retiring = null;
    }
    const verification = state === "connected" ? await verificationPhrase(pc) : null;
    if (destination.current !== outgoing) return;
    if (state === "connected") this.emit("voice", { participant: to, track: outgoing.voice.receiver.track });
    this.emit("peer", { participant: to, state, verification });
  }

  /** A new connection in place of `broken` (or of whatever is there), as long as an offer can reach anyone. */
  #renew(to: string, broken?: Outgoing): void {
    const destination = this.#destinations.get(to);
    if (!destination || !this.#track || (broken && destination.current !== broken)) return;
    clearTimeout(destination.current.timer);
    if (!destination.reachable) return;
    const { current } = destination;
    if (destination.retiring && current.pc.connectionState !== "connected") {
      this.#end(current);
    } else {
      if (destination.retiring) this.#end(destination.retiring);
      destination.retiring = current;
    }
    destination.current = this.#open(to);
    this.#feed();
  }

  #drop(id: string): void {
    const destination = this.#destinations.get(id);
    this.#destinations.delete(id);
    if (!destination) return;
    this.#end(destination.current);
    if (destination.retiring) this.#end(destination.retiring);
    this.emit("voice", { participant: id, track: null });
  }

  #end(outgoing: Outgoing): void {
    clearTimeout(outgoing.timer);
    outgoing.pc.onconnectionstatechange = outgoing.pc.onicecandidate = null;
    outgoing.pc.close();
  }
}

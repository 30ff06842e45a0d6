import { batch, signal } from "@preact/signals";
import type { Command } from "../../../signaling/browser/connection";
import { Microphone, type MicrophoneState, type MicrophoneTrouble } from "../../../signaling/browser/microphone";
import { isSeen, type Session } from "../../../signaling/browser/session";
import type { Viewer } from "../../../signaling/browser/viewer";
import { Voices } from "../../../signaling/browser/voices";

const MEASURE_EVERY_MS = 150;
/** Of a full scale of 1: a room is below the first, speech is above the second, loud speech above the third. */
const LEVELS = [0.005, 0.03, 0.12] as const;

/** Talking with the customer: nothing is heard or sent before the customer's yes, and nothing after its end. */
export class Voice {
  readonly microphone = signal<MicrophoneState>("off");
  readonly trouble = signal<MicrophoneTrouble | null>(null);
  /** The browser plays no sound until something was pressed here. */
  readonly blocked = signal(false);
  /** How loud the customer is, 0 (silent) to 3. */
  readonly level = signal(0);
  readonly #microphone = new Microphone();
  readonly #voices = new Voices();
  readonly #viewer: Viewer;
  readonly #send: (command: Command) => Promise<boolean>;
  #answered: Session["consents"]["voice"];
  #agreed = false;
  /** Who asked on this page means to talk as soon as the answer is yes; nobody else's microphone opens by itself. */
  #asking = false;
  #timer: number | undefined;

  constructor(viewer: Viewer, send: (command: Command) => Promise<boolean>) {
    this.#viewer = viewer;
    this.#send = send;
    viewer.on("voice", (track) => this.#voices.set("customer", track));
    this.#microphone.on("change", () => {
      batch(() => {
        this.microphone.value = this.#microphone.state;
        this.trouble.value = this.#microphone.trouble;
      });
      this.#feed();
    });
    this.#voices.on("change", () => {
      this.blocked.value = this.#voices.blocked;
    });
  }

  /** The one key for it: asks for voice, and once there is voice opens the microphone, mutes it, and unmutes it. */
  async press(): Promise<void> {
    if (this.#agreed) {
      const { state } = this.#microphone;
      if (state === "off") await this.#microphone.open();
      else this.#microphone.mute(state === "on");
    } else if (this.#answered !== "asked") {
      this.#asking = true;
      if (!(await this.#send({ type: "ask_consent", scope: "voice" }))) this.#asking = false;
    }
  }

  /** Lets the browser play, in answer to a press. */
  unblock(): void {
    this.#voices.unblock();
  }

  forgive(): void {
    this.#microphone.forgive();
  }

  /** Brings all into line with what the server says. */
  settle(session: Session): void {
    const before = this.#agreed;
    const pending = this.#answered === "asked";
    this.#answered = session.consents.voice;
    this.#agreed = isSeen(session) && this.#answered === "given";
    if (this.#agreed && !before) {
      this.#timer = window.setInterval(() => void this.#measure(), MEASURE_EVERY_MS);
      if (this.#asking) void this.#microphone.open();
    }
    if (pending && this.#answered !== "asked") this.#asking = false;
    if (before && !this.#agreed) this.#quiet();
    this.#feed();
  }

  close(): void {
    this.#agreed = false;
    this.#quiet();
    this.#feed();
  }

  #quiet(): void {
    window.clearInterval(this.#timer);
    this.level.value = 0;
    this.#microphone.close();
    this.#microphone.forgive();
  }

  #feed(): void {
    this.#viewer.setVoice(this.#agreed ? this.#microphone.voice : null);
    this.#voices.audible = this.#agreed;
  }

  async #measure(): Promise<void> {
    const loud = await this.#viewer.voiceLevel();
    if (this.#agreed) this.level.value = LEVELS.filter((least) => loud >= least).length;
  }
}

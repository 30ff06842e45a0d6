// One's own voice. The browser asks before it opens a microphone, and shows for as long as one is open.

import { Emitter } from "./emitter";

export type MicrophoneState = "off" | "opening" | "on" | "muted";
/** Why there is no microphone: the browser or the person said no, none could be used, or it went away. */
export type MicrophoneTrouble = "denied" | "missing" | "lost";

const VOICE: MediaTrackConstraints = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };

export class Microphone extends Emitter<{ change: undefined }> {
  state: MicrophoneState = "off";
  trouble: MicrophoneTrouble | null = null;
  #track: MediaStreamTrack | null = null;
  #turn = 0;

  /** What may be sent at this moment; null when it is off or muted. */
  get voice(): MediaStreamTrack | null {
    return this.state === "on" ? this.#track : null;
  }

  /** Opens the microphone, and resolves to whether it is open now. */
  async open(): Promise<boolean> {
    if (this.#track) return true;
    this.#turn += 1;
    const turn = this.#turn;
    this.#become("opening");
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ audio: VOICE });
      const track = stream.getAudioTracks()[0];
      if (turn !== this.#turn || !track) {
        // Closed while the browser was still asking.
        track?.stop();
        return false;
      }
      this.#track = track;
      track.addEventListener("ended", () => track === this.#track && this.close("lost"));
      this.#become("on");
      return true;
    } catch (error) {
      if (turn === this.#turn) {
        this.close(error instanceof DOMException && error.name === "NotAllowedError" ? "denied" : "missing");
      }
      return false;
    }
  }

  /** While muted nothing is sent; the microphone stays open, so that the next word is not lost. */
  mute(muted: boolean): void {
    if (this.#track) this.#become(muted ? "muted" : "on");
  }

  /** Gives the microphone back to the system. */
  close(trouble: MicrophoneTrouble | null = null): void {
    this.#turn += 1;
    this.#track?.stop();
    this.#track = null;
    if (this.state !== "off" || trouble) this.#become("off", trouble);
  }

  /** What went wrong has been read. */
  forgive(): void {
    this.#become(this.state);
  }

  #become(state: MicrophoneState, trouble: MicrophoneTrouble | null = null): void {
    this.state = state;
    this.trouble = trouble;
    this.emit("change", undefined);
  }
}

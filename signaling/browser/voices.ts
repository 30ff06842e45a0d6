// The voices of others, each with an element that plays it: only while there is consent, and only as the browser lets.

import { Emitter } from "./emitter";

export class Voices extends Emitter<{ change: undefined }> {
  /** The browser plays no sound until the person has pressed something here (`unblock`). */
  blocked = false;
  #audible = false;
  readonly #players = new Map<string, HTMLAudioElement>();
  readonly #tracks = new Map<string, MediaStreamTrack>();

  /** The voice of `participant` from now on; null when there is none. */
  set(participant: string, track: MediaStreamTrack | null): void {
    if (track) this.#tracks.set(participant, track);
    else this.#tracks.delete(participant);
    this.#settle();
  }

  /** Whether anything may be heard. */
  set audible(audible: boolean) {
    this.#audible = audible;
    this.#settle();
  }

  /** Tries once more, in answer to a press of the person. */
  unblock(): void {
    this.#block(false);
    for (const player of this.#players.values()) this.#play(player);
  }

  #settle(): void {
    for (const [participant, player] of this.#players) {
      if (this.#audible && this.#tracks.has(participant)) continue;
      player.srcObject = null;
      this.#players.delete(participant);
    }
    if (this.#players.size === 0 && !this.#audible) this.#block(false);
    if (!this.#audible) return;
    for (const [participant, track] of this.#tracks) {
      const player = this.#players.get(participant) ?? document.createElement("audio");
      this.#players.set(participant, player);
      if ((player.srcObject as MediaStream | null)?.getTracks()[0] === track) continue;
      player.srcObject = new MediaStream([track]);
      this.#play(player);
    }
  }

  #play(player: HTMLAudioElement): void {
    player.play().catch((error: unknown) => {
      if (error instanceof DOMException && error.name === "NotAllowedError") this.#block(true);
    });
  }

  #block(blocked: boolean): void {
    if (this.blocked === blocked) return;
    this.blocked = blocked;
    this.emit("change", undefined);
  }
}

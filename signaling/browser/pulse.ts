/** No sender is silent for so long: even with a screen that stands still it reports twice in this time (RFC 3550). */
const SILENT_AFTER_MS = 2_000;
/** The same, of a sender whose link to the server is gone as well. */
const SILENT_UNLINKED_AFTER_MS = 500;

/** Whether the other end of a connection still says anything. */
export class Pulse {
  #bytes = -1;
  #heardAt = 0;
  stopped = false;
  readonly #silentAfterMs: number;

  constructor(silentAfterMs = SILENT_AFTER_MS) {
    this.#silentAfterMs = silentAfterMs;
  }

  /** So many bytes came until `now`, in ms; `linked` is whether the sender has a link to the server. */
  hear(bytes: number, now: number, linked: boolean): void {
    if (bytes !== this.#bytes) {
      this.#bytes = bytes;
      this.#heardAt = now;
    }
    this.stopped = now - this.#heardAt >= (linked ? this.#silentAfterMs : SILENT_UNLINKED_AFTER_MS);
  }
}

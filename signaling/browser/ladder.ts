/** A first connection has so long to bring a picture. */
const STANDS_WITHIN_MS = 4_000;
/** A silent one is given so long: another may be on its way already. */
const RECOVERS_WITHIN_MS = 1_000;
/** Media that come back come for so long before they are believed. */
const STEADY_AFTER_MS = 500;

/** Whether the picture has to come as live snapshots, because no media connection brings it. */
export class Ladder {
  /** Whether live snapshots are wanted. */
  down = false;
  #since: number | null = null;
  #patience = STANDS_WITHIN_MS;

  /** `flows` is whether media bring the picture at this moment (`now` in ms); the answer is `down`. */
  step(flows: boolean, now: number): boolean {
    // Since when it is not as it should be for the rung on which we are.
    if (flows !== this.down) this.#since = null;
    else this.#since ??= now;
    if (flows && !this.down) this.#patience = RECOVERS_WITHIN_MS;
    const limit = this.down ? STEADY_AFTER_MS : this.#patience;
    if (this.#since !== null && now - this.#since >= limit) {
      this.down = !this.down;
      this.#since = null;
    }
    return this.down;
  }

  /** Nothing is to be seen any more. */
  reset(): void {
    this.down = false;
    this.#since = null;
    this.#patience = STANDS_WITHIN_MS;
  }
}

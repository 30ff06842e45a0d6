/** The part of a film that is to become a clip. */

import { type Signal, signal } from "@preact/signals";
import { clampTo, type Film } from "./film";

/** No clip is shorter than this. */
export const SHORTEST_MS = 1000;

export class Cut {
  readonly from: Signal<number>;
  readonly to: Signal<number>;

  constructor(private readonly film: Film) {
    this.from = signal(film.start);
    this.to = signal(film.end);
  }

  /** Marks the beginning; an end that would come too early is moved along. */
  markIn(at: number): void {
    this.from.value = Math.min(clampTo(this.film, Math.round(at)), this.film.end - this.shortest);
    if (this.to.value < this.from.value + this.shortest) this.to.value = this.from.value + this.shortest;
  }

  /** Marks the end; a beginning that would come too late is moved along. */
  markOut(at: number): void {
    this.to.value = Math.max(clampTo(this.film, Math.round(at)), this.film.start + this.shortest);
    if (this.from.value > this.to.value - this.shortest) this.from.value = this.to.value - this.shortest;
  }

  get lengthMs(): number {
    return this.to.value - this.from.value;
  }

  private get shortest(): number {
    return Math.min(SHORTEST_MS, this.film.end - this.film.start);
  }
}

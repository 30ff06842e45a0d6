// Live snapshots from the customer's page to those who ask for them, because no media connection carries the picture.

import type { AskTiles, Relayed } from "./messages";
import type { Order, Wish } from "./tile_worker";

/** What is shared, without what the customer covered. */
export interface LiveSource {
  /** How many frames there were so far: while it stays the same, there is nothing new to take. */
  readonly frames: number;
  /** The picture of this moment, no larger than a `Tiles` may be; null when there is none. */
  take(): ImageBitmap | null;
}

/** What is asked of a connection to the server; `waiting` is how many bytes the network has not taken yet. */
interface Link {
  relay(message: Relayed): boolean;
  readonly waiting: number;
}

export class LiveSnapshots {
  readonly #link: Link;
  readonly #source: LiveSource;
  #worker: Worker | null = null;
  /** The surface that `source` shows; null when nothing is shared, or not at the moment. */
  #surface: string | null = null;
  #frames = -1;

  constructor(link: Link, source: LiveSource) {
    this.#link = link;
    this.#source = source;
  }

  /** From now on this surface is shown; null lets nothing out any more, from this moment on. */
  show(surface: string | null): void {
    if (surface === this.#surface) return;
    this.#surface = surface;
    this.#frames = -1;
    // What is on its way is of another surface, or was held back.
    this.#order({ type: "interrupt" });
  }

  receive(viewer: string, { shown }: AskTiles): void {
    this.#worker ??= this.#open();
    this.#order({ type: "ask", viewer, shown });
  }

  forget(viewer: string): void {
    this.#order({ type: "forget", viewer });
  }

  /** The link to the server is back. */
  relinked(): void {
    this.#order({ type: "interrupt" });
  }

  /** Nobody is shown anything any more. */
  stop(): void {
    this.show(null);
    this.#worker?.terminate();
    this.#worker = null;
  }

  #open(): Worker {
    const worker = new Worker(new URL("./tile_worker.ts", import.meta.url), { type: "module" });
    worker.onmessage = ({ data }: MessageEvent<Wish>) => {
      if (data.type === "look") this.#look(data.must);
      else {
        const { message } = data;
        // What was taken a moment ago may be shown no longer.
        if (message && message.surface === this.#surface) this.#link.relay(message);
        this.#order({ type: "sent", waiting: this.#link.waiting });
      }
    };
    return worker;
  }

  #look(must: boolean): void {
    const { frames } = this.#source;
    const picture = this.#surface !== null && (must || frames !== this.#frames) ? this.#source.take() : null;
    if (picture === null || this.#surface === null) {
      this.#order({ type: "picture", surface: "", picture: null });
      return;
    }
    this.#frames = frames;
    this.#worker?.postMessage({ type: "picture", surface: this.#surface, picture } satisfies Order, [picture]);
  }

  #order(order: Order): void {
    this.#worker?.postMessage(order);
  }
}

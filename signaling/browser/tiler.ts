// Who sees live snapshots, and what each of them is sent next: at most one frame is on its way to a viewer, and the next
// one follows when that was shown, so that nothing piles up on a slow link.

import { Grid, type Part } from "./grid";
import type { Tile, Tiles } from "./messages";

/** A viewer who has not asked for so long is gone. */
const ASKS_WITHIN_MS = 10_000;
/** A frame that was not shown after so long is taken for lost when its viewer asks again. */
const LOST_AFTER_MS = 5_000;
const LOOK_EVERY_MS = 150;
/** JPEG's quality, which falls while frames take longer than a second to be shown. */
const QUALITIES = [0.35, 0.5, 0.65, 0.8];
const SLOW_MS = 1_000;
const FAST_MS = 400;
const TELLING_BYTES = 20_000;
/** What a message holds beside its tiles, and a tile beside its JPEG. */
const MESSAGE_BYTES = 62_000;
const TILE_BYTES = 80;
/** Tiles that are sent again at the best quality once the screen stands still. */
const REFINED_AT_ONCE = 24;

/** What is shared at this moment, as 32 bits a pixel. */
export interface Look {
  surface: string;
  width: number;
  height: number;
  pixels: Uint32Array;
}

export interface Studio {
  /** What is shared; null when that is nothing, or is as it was and not `must`. */
  look(must: boolean): Promise<Look | null>;
  /** A part of the last look as JPEG in base64. */
  encode(part: Part, quality: number): Promise<string>;
  /** Sends a message; settles when the next one may be sent. */
  send(message: Tiles): Promise<void>;
  now(): number;
  rest(ms: number): Promise<void>;
}

interface Watching {
  /** The frame that is shown; 0 when none is. */
  shown: number;
  askedAt: number;
  /** On its way; null when the next one may be sent. */
  sent: { frame: number; bytes: number; from: number; until: number } | null;
  quality: number;
  /** Tiles that were sent at less than the best quality. */
  coarse: Set<number>;
}

export class Tiler {
  readonly #studio: Studio;
  readonly #viewers = new Map<string, Watching>();
  #grid: Grid | null = null;
  #surface = "";
  #running = false;

  constructor(studio: Studio) {
    this.#studio = studio;
  }

  /** A viewer shows frame `shown` (null: none) and wants what comes after it. */
  ask(viewer: string, shown: number | null): void {
    const now = this.#studio.now();
    const known = this.#viewers.get(viewer);
    const watching = known ?? { shown: 0, askedAt: now, sent: null, quality: 2, coarse: new Set<number>() };
    watching.askedAt = now;
    const { sent } = watching;
    if (sent && shown === sent.frame) this.#arrived(watching, now - sent.from, sent.bytes);
    else if (sent && now - sent.until > LOST_AFTER_MS) watching.sent = null;
    if (!watching.sent) watching.shown = shown ?? 0;
    this.#viewers.set(viewer, watching);
    void this.#run();
  }

  forget(viewer: string): void {
    this.#viewers.delete(viewer);
  }

  /** The link broke: what was on its way may be lost. */
  interrupt(): void {
    for (const watching of this.#viewers.values()) watching.sent = null;
  }

  #arrived(watching: Watching, took: number, bytes: number): void {
    watching.sent = null;
    if (bytes < TELLING_BYTES) return;
    if (took > SLOW_MS) watching.quality = Math.max(0, watching.quality - 1);
    else if (took < FAST_MS) watching.quality = Math.min(QUALITIES.length - 1, watching.quality + 1);
  }

  async #run(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    try {
      while (this.#viewers.size > 0) {
        const begun = this.#studio.now();
        for (const [viewer, { askedAt }] of this.#viewers) if (begun - askedAt > ASKS_WITHIN_MS) this.forget(viewer);
        const waiting = [...this.#viewers].filter(([, { sent }]) => sent === null);
        if (waiting.length > 0) {
          await this.#look();
          for (const [viewer, watching] of waiting) await this.#serve(viewer, watching);
        }
        await this.#studio.rest(Math.max(0, LOOK_EVERY_MS - (this.#studio.now() - begun)));
      }
    } finally {
      this.#running = false;
    }
  }

  async #look(): Promise<void> {
    const look = await this.#studio.look(this.#grid === null);
    if (look === null) return;
    const { surface, width, height, pixels } = look;
    if (surface !== this.#surface) for (const watching of this.#viewers.values()) watching.shown = 0;
    if (!this.#grid || surface !== this.#surface || this.#grid.width !== width || this.#grid.height !== height) {
      this.#grid = new Grid(width, height, this.#grid?.version ?? 0);
      for (const { coarse } of this.#viewers.values()) coarse.clear();
    }
    this.#surface = surface;
    this.#grid.take(pixels);
  }

  async #serve(viewer: string, watching: Watching): Promise<void> {
    const grid = this.#grid;
    if (!grid) return;
    // A number from before this page was loaded says nothing.
    if (watching.shown > grid.version) watching.shown = 0;
    const best = QUALITIES.length - 1;
    const changed = grid.since(watching.shown);
    const refines = changed.length === 0;
    const tiles = refines ? [...watching.coarse].sort((a, b) => a - b).slice(0, REFINED_AT_ONCE) : changed;
    if (tiles.length === 0) return;
    const quality = refines ? best : watching.quality;
    for (const tile of tiles) {
      if (quality < best) watching.coarse.add(tile);
      else watching.coarse.delete(tile);
    }
    const from = this.#studio.now();
    const sent = { frame: grid.version, bytes: 0, from, until: from };
    watching.sent = sent;
    const head = {
      type: "tiles",
      to: viewer,
      surface: this.#surface,
      frame: grid.version,
      after: watching.shown === 0 ? null : watching.shown,
      width: grid.width,
      height: grid.height,
    } as const;
    let part = 0;
    let batch: Tile[] = [];
    let size = 0;
    for (const place of grid.parts(tiles)) {
      const jpeg = await this.#studio.encode(place, QUALITIES[quality] ?? 0.5);
      if (batch.length > 0 && size + jpeg.length + TILE_BYTES > MESSAGE_BYTES) {
        await this.#studio.send({ ...head, part, last: false, tiles: batch });
        // Taken back meanwhile: the viewer left, or the link broke.
        if (watching.sent !== sent) return;
        part += 1;
        batch = [];
        size = 0;
      }
      batch.push({ ...place, jpeg });
      size += jpeg.length + TILE_BYTES;
      sent.bytes += jpeg.length;
    }
    await this.#studio.send({ ...head, part, last: true, tiles: batch });
    sent.until = this.#studio.now();
  }
}

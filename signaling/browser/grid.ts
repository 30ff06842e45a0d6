// A picture in a grid of tiles, and which of them changed: only these are sent as live snapshots.

const SIDE = 128;
/** Tiles side by side that are sent as one. */
const RUN = 4;

/** A part of a picture, in its pixels. */
export interface Part {
  left: number;
  top: number;
  width: number;
  height: number;
}

export class Grid {
  readonly width: number;
  readonly height: number;
  /** The number of the last picture that differs from the one before; pictures count on in the grid that follows. */
  version: number;
  readonly #columns: number;
  /** The picture in which each tile changed last. */
  readonly #changes: Uint32Array;
  #before: Uint32Array | null = null;

  constructor(width: number, height: number, version: number) {
    this.width = width;
    this.height = height;
    this.version = version;
    this.#columns = Math.ceil(width / SIDE);
    this.#changes = new Uint32Array(this.#columns * Math.ceil(height / SIDE));
  }

  /** Takes the next picture, of the same size and 32 bits a pixel. */
  take(pixels: Uint32Array): void {
    const before = this.#before;
    const next = this.version + 1;
    let changed = 0;
    for (let tile = 0; tile < this.#changes.length; tile++) {
      if (before && !this.#differs(tile, before, pixels)) continue;
      this.#changes[tile] = next;
      changed += 1;
    }
    if (changed > 0) this.version = next;
    this.#before = pixels;
  }

  /** The tiles that changed after picture `version`. */
  since(version: number): number[] {
    return [...this.#changes.keys()].filter((tile) => (this.#changes[tile] ?? 0) > version);
  }

  /** The parts of the picture that hold these tiles (in ascending order), neighbours together. */
  parts(tiles: readonly number[]): Part[] {
    const parts: Part[] = [];
    let last = -2;
    for (const tile of tiles) {
      const { left, top, width, height } = this.#place(tile);
      const part = parts.at(-1);
      if (part && tile === last + 1 && part.top === top && left - part.left < RUN * SIDE) part.width += width;
      else parts.push({ left, top, width, height });
      last = tile;
    }
    return parts;
  }

  #place(tile: number): Part {
    const left = (tile % this.#columns) * SIDE;
    const top = Math.floor(tile / this.#columns) * SIDE;
    return { left, top, width: Math.min(SIDE, this.width - left), height: Math.min(SIDE, this.height - top) };
  }

  #differs(tile: number, before: Uint32Array, pixels: Uint32Array): boolean {
    const { left, top, width, height } = this.#place(tile);
    for (let y = top; y < top + height; y++) {
      const begin = y * this.width + left;
      for (let at = begin; at < begin + width; at++) if (before[at] !== pixels[at]) return true;
    }
    return false;
  }
}

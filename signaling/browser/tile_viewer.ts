// The side that sees live snapshots: it asks for them, and draws each frame once all of it has come.

import { Emitter } from "./emitter";
import type { Tile, Tiles } from "./messages";
import type { Relaying } from "./sender";

const ASK_EVERY_MS = 1_000;

export interface TileViewerEvents {
  /** A frame was drawn. */
  frame: HTMLCanvasElement;
}

interface Unfinished {
  frame: number;
  next: number;
  tiles: Tile[];
}

export class TileViewer extends Emitter<TileViewerEvents> {
  readonly canvas = document.createElement("canvas");
  readonly #relay: Relaying;
  /** Whose picture is wanted. */
  #customer: string | null = null;
  #surface = "";
  #shown: number | null = null;
  #unfinished: Unfinished | null = null;
  #asking: ReturnType<typeof setInterval> | undefined;

  constructor(relay: Relaying) {
    super();
    this.#relay = relay;
  }

  get active(): boolean {
    return this.#customer !== null;
  }

  /** Asks for the customer's picture until `stop`. */
  start(customer: string): void {
    if (customer === this.#customer) return;
    this.stop();
    this.#customer = customer;
    this.#asking = setInterval(() => this.#ask(), ASK_EVERY_MS);
    this.#ask();
  }

  stop(): void {
    clearInterval(this.#asking);
    this.#customer = this.#shown = this.#unfinished = null;
  }

  /** The link to the server is back: what was on its way is lost. */
  relinked(): void {
    this.#shown = this.#unfinished = null;
    if (this.active) this.#ask();
  }

  receive(sender: string, message: Tiles): void {
    if (sender !== this.#customer) return;
    const begun = message.part === 0 ? { frame: message.frame, next: 0, tiles: [] } : this.#unfinished;
    if (begun?.frame !== message.frame || begun.next !== message.part) return;
    begun.next += 1;
    begun.tiles.push(...message.tiles);
    this.#unfinished = begun;
    if (message.last) void this.#finish(begun, message);
  }

  async #finish(finished: Unfinished, { surface, after, width, height }: Tiles): Promise<void> {
    const pictures = await Promise.all(finished.tiles.map(decode));
    const fits = after === null || (after === this.#shown && surface === this.#surface);
    if (this.#unfinished !== finished || !fits || pictures.includes(null)) {
      for (const picture of pictures) picture?.close();
      return;
    }
    this.#unfinished = null;
    const { canvas } = this;
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    const context = canvas.getContext("2d", { alpha: false });
    finished.tiles.forEach(({ left, top }, index) => {
      const picture = pictures[index];
      if (picture) context?.drawImage(picture, left, top);
      picture?.close();
    });
    this.#surface = surface;
    this.#shown = finished.frame;
    this.#ask();
    this.emit("frame", canvas);
  }

  #ask(): void {
    this.#relay({ type: "ask_tiles", shown: this.#shown });
  }
}

/** The tile's picture; null when it is none, or not of the size that it says: some bytes can unfold to gigabytes. */
async function decode({ jpeg, width, height }: Tile): Promise<ImageBitmap | null> {
  const bytes = Uint8Array.from(atob(jpeg), (letter) => letter.charCodeAt(0));
  const size = jpegSize(bytes);
  if (size?.width !== width || size.height !== height) return null;
  return createImageBitmap(new Blob([bytes], { type: "image/jpeg" })).catch(() => null);
}

/** The size in a JPEG's frame header (ITU-T T.81, B.2.2); null when there is none. */
export function jpegSize(bytes: Uint8Array): { width: number; height: number } | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 4 || view.getUint16(0) !== 0xffd8) return null;
  for (let at = 2; at + 9 <= bytes.length; at += 2 + view.getUint16(at + 2)) {
    const marker = view.getUint16(at);
    if (marker >> 8 !== 0xff) return null;
    // SOF0 to SOF15, without the tables (DHT, DAC) and the extension (JPG) that stand among them.
    if (marker >= 0xffc0 && marker <= 0xffcf && ![0xffc4, 0xffc8, 0xffcc].includes(marker)) {
      return { height: view.getUint16(at + 5), width: view.getUint16(at + 7) };
    }
  }
  return null;
}

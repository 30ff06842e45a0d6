// The worker that makes live snapshots: comparing and encoding would hold the page up, and a page that is covered by
// what it shares is given hardly any time.

import type { Part } from "./grid";
import type { Tiles } from "./messages";
import { type Look, Tiler } from "./tiler";

/** From the page. */
export type Order =
  | { type: "ask"; viewer: string; shown: number | null }
  | { type: "forget"; viewer: string }
  | { type: "interrupt" }
  | { type: "picture"; surface: string; picture: ImageBitmap | null }
  | { type: "sent"; waiting: number };

/** To the page: show what is shared now; send this; or, with null, say only how much waits to be sent. */
export type Wish = { type: "look"; must: boolean } | { type: "send"; message: Tiles | null };

const MAX_TILE_BYTES = 46 * 1024;
/** So much may wait before the link; a ping must not wait behind more. */
const MAX_WAITING_BYTES = 64 * 1024;
const WAIT_EVERY_MS = 50;

interface Scope {
  postMessage(wish: Wish): void;
  onmessage: ((event: MessageEvent<Order>) => void) | null;
}
const scope = self as unknown as Scope;
const stage = new OffscreenCanvas(1, 1);
const strip = new OffscreenCanvas(1, 1);
let looked: (order: { surface: string; picture: ImageBitmap | null }) => void = () => undefined;
let sent: (waiting: number) => void = () => undefined;

function wish(message: Tiles | null): Promise<number> {
  return new Promise((resolve) => {
    sent = resolve;
    scope.postMessage({ type: "send", message });
  });
}

function rest(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

const tiler = new Tiler({
  now: () => performance.now(),
  rest,
  async look(must: boolean): Promise<Look | null> {
    const { surface, picture } = await new Promise<Parameters<typeof looked>[0]>((resolve) => {
      looked = resolve;
      scope.postMessage({ type: "look", must });
    });
    if (picture === null) return null;
    const { width, height } = picture;
    if (stage.width !== width || stage.height !== height) Object.assign(stage, { width, height });
    const context = stage.getContext("2d", { alpha: false, willReadFrequently: true });
    context?.drawImage(picture, 0, 0);
    picture.close();
    const data = context?.getImageData(0, 0, width, height).data;
    return data ? { surface, width, height, pixels: new Uint32Array(data.buffer) } : null;
  },
  async encode({ left, top, width, height }: Part, quality: number): Promise<string> {
    Object.assign(strip, { width, height });
    strip.getContext("2d", { alpha: false })?.drawImage(stage, left, top, width, height, 0, 0, width, height);
    let blob = await strip.convertToBlob({ type: "image/jpeg", quality });
    for (let less = quality; blob.size > MAX_TILE_BYTES && less > 0.1; ) {
      less *= 0.6;
      blob = await strip.convertToBlob({ type: "image/jpeg", quality: less });
    }
    return btoa(String.fromCharCode(...new Uint8Array(await blob.arrayBuffer())));
  },
  async send(message: Tiles): Promise<void> {
    for (let waiting = await wish(message); waiting > MAX_WAITING_BYTES; waiting = await wish(null)) {
      await rest(WAIT_EVERY_MS);
    }
  },
});

scope.onmessage = ({ data }) => {
  switch (data.type) {
    case "ask":
      tiler.ask(data.viewer, data.shown);
      break;
    case "forget":
      tiler.forget(data.viewer);
      break;
    case "interrupt":
      tiler.interrupt();
      break;
    case "picture":
      looked(data);
      break;
    case "sent":
      sent(data.waiting);
      break;
  }
};

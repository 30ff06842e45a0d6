// Parts of a captured track are painted over before anything else gets its frames.

import type { Frames, Instruction } from "./covering_worker";
import CoveringWorker from "./covering_worker?worker&inline";
import { type Mask, paint } from "./masks";

// Chromium's own; other browsers lack it, or have it in workers alone and without a way to hand on what it makes.
declare global {
  interface Window {
    MediaStreamTrackProcessor?: new (init: { track: MediaStreamTrack }) => { readable: ReadableStream<VideoFrame> };
    MediaStreamTrackGenerator?: new (init: {
      kind: "video";
    }) => MediaStreamTrack & {
      writable: WritableStream<VideoFrame>;
    };
  }
}

const CANVAS_RATE = 15;

/** A track with the captured picture, painted over where the masks are. */
export interface Painted {
  track: MediaStreamTrack;
  /** The same for the mirror. */
  reflected: MediaStreamTrack;
  cover(masks: readonly Mask[]): void;
  close(): void;
}

/** Begins to paint over the masks of a captured track. */
export function paintOver(captured: MediaStreamTrack, masks: readonly Mask[]): Painted {
  const { MediaStreamTrackProcessor: Processor, MediaStreamTrackGenerator: Generator } = window;
  if (!Processor || !Generator) return paintOnCanvas(captured, masks);
  const source = captured.clone();
  const track = new Generator({ kind: "video" });
  // A generator's frames are not made fewer by a constraint.
  const reflected = new Generator({ kind: "video" });
  const from = new Processor({ track: source }).readable;
  const frames: Frames = { from, to: track.writable, mirror: reflected.writable };
  const worker = new CoveringWorker();
  const tell = (instruction: Instruction, transfer: Transferable[] = []) => worker.postMessage(instruction, transfer);
  tell({ masks, frames }, [frames.from, frames.to, frames.mirror]);
  return {
    track,
    reflected,
    cover: (masks) => tell({ masks }),
    close: () => {
      worker.terminate();
      for (const each of [source, track, reflected]) each.stop();
    },
  };
}

/** The same with what every browser has; while the page is hidden, frames may be few. */
function paintOnCanvas(captured: MediaStreamTrack, masks: readonly Mask[]): Painted {
  const source = captured.clone();
  const video = document.createElement("video");
  video.muted = true;
  video.srcObject = new MediaStream([source]);
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d", { alpha: false });
  const { width = canvas.width, height = canvas.height } = captured.getSettings();
  Object.assign(canvas, { width, height });
  const [track] = canvas.captureStream(CANVAS_RATE).getVideoTracks();
  if (!track) throw new DOMException("A canvas gives no track.", "NotSupportedError");
  let covered = masks;
  const draw = () => {
    if (!context || !video.videoWidth) return;
    if (canvas.width !== video.videoWidth) canvas.width = video.videoWidth;
    if (canvas.height !== video.videoHeight) canvas.height = video.videoHeight;
    context.drawImage(video, 0, 0);
    paint(context, canvas.width, canvas.height, covered);
  };
  const timer = setInterval(draw, 1000 / CANVAS_RATE);
  void video.play().catch(() => undefined);
  return {
    track,
    reflected: track,
    cover: (masks) => {
      covered = masks;
      draw();
    },
    close: () => {
      clearInterval(timer);
      source.stop();
      track.stop();
      video.srcObject = null;
    },
  };
}

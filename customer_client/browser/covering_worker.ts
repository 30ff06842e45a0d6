// Paints over the masks in each frame, away from the page's thread, and passes it on.

import { type Mask, paint } from "./masks";

/** Where frames come from, and where they go: all of them, and ten a second for the mirror. */
export interface Frames {
  readonly from: ReadableStream<VideoFrame>;
  readonly to: WritableStream<VideoFrame>;
  readonly mirror: WritableStream<VideoFrame>;
}

/** What the worker is told: at first the way of the frames, and whenever they change, the masks. */
export interface Instruction {
  readonly masks: readonly Mask[];
  readonly frames?: Frames;
}

/**
 * A frame is passed on again, at first soon, since an encoder may have left out the very one in which a mask was new;
 * and then once a second, for whoever begins to watch a screen on which nothing moves.
 */
const REPEAT_AFTER_MS = [100, 200, 400, 1_000] as const;
/** Why so few: see `reflect`. */
const REFLECT_AFTER_MS = 100;

const canvas = new OffscreenCanvas(1, 1);
const context = canvas.getContext("2d", { alpha: false, willReadFrequently: true });
let masks: readonly Mask[] = [];
let out: WritableStreamDefaultWriter<VideoFrame> | undefined;
let mirror: WritableStreamDefaultWriter<VideoFrame> | undefined;
let reflectedAt = 0;
/** The newest frame as it was captured, kept for what is painted over it next. */
let captured: VideoFrame | undefined;
let capturedAt = 0;
let repeating: ReturnType<typeof setTimeout> | undefined;

/** What may be seen of a frame. */
function covered(frame: VideoFrame): VideoFrame | OffscreenCanvas {
  if (masks.length === 0) return frame;
  const { displayWidth: width, displayHeight: height } = frame;
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  context?.drawImage(frame, 0, 0, width, height);
  if (context) paint(context, width, height, masks);
  return canvas;
}

function pass(repeats = 0): void {
  if (!captured) return;
  // Microseconds; a frame that is shown again must not be as old as it was.
  const timestamp = captured.timestamp + Math.round((performance.now() - capturedAt) * 1000);
  const frame = new VideoFrame(covered(captured), { timestamp });
  if (performance.now() - reflectedAt >= REFLECT_AFTER_MS) {
    reflectedAt = performance.now();
    void mirror?.write(frame.clone()).catch(() => undefined);
  }
  void out?.write(frame).catch(() => undefined);
  clearTimeout(repeating);
  repeating = setTimeout(pass, REPEAT_AFTER_MS[repeats] ?? REPEAT_AFTER_MS.at(-1), repeats + 1);
}

async function run(from: ReadableStream<VideoFrame>): Promise<void> {
  const reader = from.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    captured?.close();
    captured = next.value;
    capturedAt = performance.now();
    pass();
  }
}

self.onmessage = ({ data }: MessageEvent<Instruction>) => {
  masks = data.masks;
  if (data.frames) {
    out = data.frames.to.getWriter();
    mirror = data.frames.mirror.getWriter();
    void run(data.frames.from);
  } else pass();
};

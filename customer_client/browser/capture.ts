// The shared surface as the browser gives it: asking for it, describing it, and taking one still picture of it.

import type { Surface, SurfaceKind } from "../../signaling/browser/messages";

const FRAME_WITHIN_MS = 1_500;
const REFLECTED_PER_S = 10;
const REFLECTED_OF_MONITOR_PER_S = 2;

/** Why there is nothing to share. `closed`: the person closed the picker or the browser may not; `system`: the system. */
export type CaptureTrouble = "closed" | "system" | "device";

export class CaptureError extends Error {
  constructor(readonly trouble: CaptureTrouble) {
    super(trouble);
  }
}

interface DisplayOptions extends DisplayMediaStreamOptions {
  selfBrowserSurface?: "include" | "exclude";
  surfaceSwitching?: "include" | "exclude";
  systemAudio?: "include" | "exclude";
}

export function canCapture(): boolean {
  return typeof navigator.mediaDevices?.getDisplayMedia === "function";
}

/** The browser's own picker; it must be opened by a click. Windows come first: they show the least. */
export async function pickSurface(): Promise<MediaStreamTrack> {
  const options: DisplayOptions = {
    video: { displaySurface: "window", frameRate: { ideal: 30, max: 30 } },
    audio: false,
    selfBrowserSurface: "exclude",
    surfaceSwitching: "include",
    systemAudio: "exclude",
  };
  try {
    const stream = await navigator.mediaDevices.getDisplayMedia(options);
    const track = stream.getVideoTracks()[0];
    if (!track) throw new CaptureError("device");
    return track;
  } catch (error) {
    if (error instanceof CaptureError) throw error;
    throw new CaptureError(troubleOf(error));
  }
}

/** Chromium says "Permission denied by system" when the operating system forbids it; a closed picker has no such word. */
export function troubleOf(error: unknown): CaptureTrouble {
  if (!(error instanceof DOMException)) return "device";
  if (error.name === "NotAllowedError") return /system/i.test(error.message) ? "system" : "closed";
  return error.name === "AbortError" ? "closed" : "device";
}

export function surfaceKind(track: MediaStreamTrack): SurfaceKind {
  const { displaySurface } = track.getSettings();
  return displaySurface === "browser" || displaySurface === "window" ? displaySurface : "monitor";
}

/** The surface with the size at which it is captured now; null while that is not known yet. */
export function describe(track: MediaStreamTrack, id: string, label: (kind: SurfaceKind) => string): Surface | null {
  const { width, height } = track.getSettings();
  if (!width || !height) return null;
  const kind = surfaceKind(track);
  return { id, kind, label: label(kind), width: Math.round(width), height: Math.round(height) };
}

/**
 * Shows the track to the person who shares it: the same frames, but few, and fewest of a whole screen, which they have
 * before them anyway. A mirror on the very screen that is shared changes the screen with each of its frames, and at 30
 * a second the computer would be busy with little else.
 */
export function reflect(track: MediaStreamTrack | null, mirror: HTMLVideoElement): void {
  const before = mirror.srcObject instanceof MediaStream ? mirror.srcObject.getTracks() : [];
  for (const each of before) each.stop();
  const reflected = track?.clone();
  // A browser that can't leave frames out shows them all.
  const whole = track?.getSettings().displaySurface === "monitor";
  const max = whole ? REFLECTED_OF_MONITOR_PER_S : REFLECTED_PER_S;
  void reflected?.applyConstraints({ frameRate: { max } }).catch(() => undefined);
  mirror.srcObject = reflected ? new MediaStream([reflected]) : null;
  if (reflected) void mirror.play().catch(() => undefined);
}

type Finish = (context: OffscreenCanvasRenderingContext2D, width: number, height: number) => void;

/** One frame of the track in full resolution, without loss; `mirror` shows the same already, `finish` paints on it. */
export async function stillPicture(
  track: MediaStreamTrack,
  mirror: HTMLVideoElement | null = null,
  finish: Finish = () => undefined,
): Promise<Blob> {
  const video = document.createElement("video");
  const clone = track.clone();
  video.muted = true;
  video.srcObject = new MediaStream([clone]);
  try {
    const fresh = await firstFrame(video);
    const source = fresh || !mirror?.videoWidth ? video : mirror;
    if (!source.videoWidth) throw new CaptureError("device");
    const canvas = new OffscreenCanvas(source.videoWidth, source.videoHeight);
    const context = canvas.getContext("2d");
    context?.drawImage(source, 0, 0);
    if (context) finish(context, canvas.width, canvas.height);
    return await canvas.convertToBlob({ type: "image/png" });
  } finally {
    clone.stop();
    video.srcObject = null;
  }
}

/** Whether a frame came in time: a surface on which nothing moves may give a new reader none. */
function firstFrame(video: HTMLVideoElement): Promise<boolean> {
  return new Promise((settle) => {
    const timer = setTimeout(() => settle(false), FRAME_WITHIN_MS);
    video.onloadeddata = () => {
      clearTimeout(timer);
      settle(true);
    };
    void video.play().catch(() => undefined);
  });
}

/** One still picture of a surface that the person picks for just that; nothing is captured afterwards. */
export async function pickStillPicture(): Promise<Blob> {
  const track = await pickSurface();
  try {
    return await stillPicture(track);
  } finally {
    track.stop();
  }
}

/**
 * Where the picture lies inside its element, and how points travel between the window and the surface.
 * Pure but for `mediaBox`, which reads an element. All boxes are in CSS pixels; surfaces are fractions 0..1.
 */
import type { Point } from "./shapes.ts";

export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface Rectangle extends Size {
  readonly x: number;
  readonly y: number;
}

/** How a surface is looked at: fitted into its frame, or at a scale (CSS pixels for each of the surface's). */
export interface View {
  readonly scale: "fit" | number;
  /** The point of the surface that lies in the middle of the frame. */
  readonly center: Point;
}

export const FIT: View = { scale: "fit", center: [0.5, 0.5] };
const LARGEST_SCALE = 8;

/** The part of `frame` that a picture of size `media` fills under object-fit `contain`, centered; or all of it. */
export function contentBox(frame: Rectangle, media: Size, fit: "contain" | "fill" = "contain"): Rectangle {
  if (fit === "fill" || media.width <= 0 || media.height <= 0) return frame;
  const scale = Math.min(frame.width / media.width, frame.height / media.height);
  const width = media.width * scale;
  const height = media.height * scale;
  return { x: frame.x + (frame.width - width) / 2, y: frame.y + (frame.height - height) / 2, width, height };
}

/** The point of the surface below `point` (in the coordinates of `box`), unbounded; null for a box without area. */
export function toFraction(box: Rectangle, point: Point): Point | null {
  if (box.width <= 0 || box.height <= 0) return null;
  return [(point[0] - box.x) / box.width, (point[1] - box.y) / box.height];
}

/** Where the surface's point `fraction` lies, in the coordinates of `box`. */
export function fromFraction(box: Rectangle, fraction: Point): Point {
  return [box.x + fraction[0] * box.width, box.y + fraction[1] * box.height];
}

export function isInside(fraction: Point): boolean {
  return fraction[0] >= 0 && fraction[0] <= 1 && fraction[1] >= 0 && fraction[1] <= 1;
}

export function clampToSurface([x, y]: Point): Point {
  return [clamp(x, 0, 1), clamp(y, 0, 1)];
}

/** The scale of `view`, in CSS pixels for each pixel of the surface. */
export function scaleOf(view: View, frame: Size, surface: Size): number {
  if (view.scale !== "fit") return view.scale;
  return Math.min(frame.width / surface.width, frame.height / surface.height);
}

/** Where the whole surface lies in a frame of this size; a side shorter than the frame's is centered. */
export function place(view: View, frame: Size, surface: Size): Rectangle {
  const scale = scaleOf(view, frame, surface);
  const width = surface.width * scale;
  const height = surface.height * scale;
  return {
    x: along(frame.width, width, view.center[0]),
    y: along(frame.height, height, view.center[1]),
    width,
    height,
  };
}

/** The view after zooming by `factor` around `point` of the frame, which keeps showing the same spot. */
export function zoomAround(view: View, frame: Size, surface: Size, point: Point, factor: number): View {
  const fitted = scaleOf(FIT, frame, surface);
  const current = scaleOf(view, frame, surface);
  const scale = clamp(current * factor, Math.min(fitted, current), Math.max(LARGEST_SCALE, fitted));
  if (scale <= fitted && factor < 1) return FIT;
  const spot = toFraction(place(view, frame, surface), point) ?? FIT.center;
  const corner = { x: point[0] - spot[0] * surface.width * scale, y: point[1] - spot[1] * surface.height * scale };
  return centered(corner, scale, frame, surface);
}

/** The view after the picture was dragged by `dx`, `dy` CSS pixels; it never leaves the frame. */
export function pan(view: View, frame: Size, surface: Size, dx: number, dy: number): View {
  const scale = scaleOf(view, frame, surface);
  if (view.scale === "fit") return view;
  const { x, y } = place(view, frame, surface);
  return centered({ x: x + dx, y: y + dy }, scale, frame, surface);
}

/** One pixel of the surface on one pixel of a screen with this `devicePixelRatio`, around the same center. */
export function oneToOne(view: View, devicePixelRatio: number): View {
  return { scale: 1 / devicePixelRatio, center: view.center };
}

/**
 * Where an element's picture lies in the window, whatever the element's borders, transforms and object-fit
 * (`contain` or `fill`, centered, without padding); null as long as the picture has no size.
 */
export function mediaBox(element: HTMLVideoElement | HTMLImageElement | HTMLCanvasElement): Rectangle | null {
  const media = mediaSize(element);
  const outer = element.getBoundingClientRect();
  if (media === null || outer.width <= 0 || outer.height <= 0) return null;
  const scaleX = outer.width / element.offsetWidth;
  const scaleY = outer.height / element.offsetHeight;
  const frame = {
    x: outer.x + element.clientLeft * scaleX,
    y: outer.y + element.clientTop * scaleY,
    width: element.clientWidth * scaleX,
    height: element.clientHeight * scaleY,
  };
  const fit = element.ownerDocument.defaultView?.getComputedStyle(element).objectFit;
  return contentBox(frame, media, fit === "contain" || fit === "scale-down" ? "contain" : "fill");
}

function mediaSize(element: HTMLVideoElement | HTMLImageElement | HTMLCanvasElement): Size | null {
  const [width, height] =
    "videoWidth" in element
      ? [element.videoWidth, element.videoHeight]
      : "naturalWidth" in element
        ? [element.naturalWidth, element.naturalHeight]
        : [element.width, element.height];
  return width > 0 && height > 0 ? { width, height } : null;
}

function along(frame: number, length: number, center: number): number {
  if (length <= frame) return (frame - length) / 2;
  return clamp(frame / 2 - center * length, frame - length, 0);
}

function centered(corner: { x: number; y: number }, scale: number, frame: Size, surface: Size): View {
  const at = (start: number, length: number, size: number) => {
    const whole = size * scale;
    if (whole <= length) return 0.5;
    return (length / 2 - clamp(start, length - whole, 0)) / whole;
  };
  return {
    scale,
    center: [at(corner.x, frame.width, surface.width), at(corner.y, frame.height, surface.height)],
  };
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}

/**
 * Drawing on a canvas: visible annotations with their opacity, and pointers with names.
 * The twin of annotate/rendering.py; both take their proportions from `marks` and are held to the golden boards.
 */
import type { Rectangle } from "./geometry.ts";
import { HALO_OPACITY, haloColor, LEAST_HALO, type Lettering, type Line, marks, TEXT_HALO } from "./marks.ts";
import type { Annotation, Point } from "./shapes.ts";

type Context = CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D;

/** DejaVu Sans is what the published video has; Verdana is its ancestor and has the same widths. */
export const FONT_FAMILY = '"DejaVu Sans", Verdana, system-ui, sans-serif';
const LABEL_SIZE = 12;
const LABEL_PAD = 6;
const POINTER_RADIUS = 7;
const LEAST_LENGTH = 0.01;

const scratches = new WeakMap<object, OffscreenCanvasRenderingContext2D>();

/** Another participant's pointer: where it is on the surface, whose it is, and its color as `#rrggbb`. */
export interface PointerMark {
  readonly at: Point;
  readonly name: string;
  readonly color: string;
}

/** Draw one annotation at `opacity` (0..1) on the surface that fills `box`, in units of the context's transform. */
export function drawAnnotation(context: Context, annotation: Annotation, box: Rectangle, opacity = 1): void {
  if (opacity <= 0 || box.width <= 0 || box.height <= 0) return;
  if (opacity >= 1 || annotation.shape.kind === "highlight") {
    context.save();
    context.globalAlpha = Math.min(1, opacity);
    paint(context, annotation, box);
    context.restore();
    return;
  }
  // A line and its halo fade as one: drawn apart at full strength, then laid down together.
  const scratch = scratchFor(context);
  if (scratch === null) return;
  const { canvas } = scratch;
  scratch.setTransform(1, 0, 0, 1, 0, 0);
  scratch.clearRect(0, 0, canvas.width, canvas.height);
  scratch.setTransform(context.getTransform());
  paint(scratch, annotation, box);
  context.save();
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.globalAlpha = opacity;
  context.drawImage(canvas, 0, 0);
  context.restore();
}

/** Draw a pointer as a ringed dot with its owner's name beside it; its size does not depend on the surface's. */
export function drawPointer(context: Context, pointer: PointerMark, box: Rectangle): void {
  const x = box.x + pointer.at[0] * box.width;
  const y = box.y + pointer.at[1] * box.height;
  const contrast = haloColor(pointer.color);
  context.save();
  context.fillStyle = pointer.color;
  context.strokeStyle = contrast;
  context.lineWidth = 2;
  context.beginPath();
  context.arc(x, y, POINTER_RADIUS, 0, 2 * Math.PI);
  context.fill();
  context.stroke();
  if (pointer.name !== "") {
    context.font = `600 ${LABEL_SIZE}px ${FONT_FAMILY}`;
    context.textBaseline = "middle";
    const width = context.measureText(pointer.name).width + 2 * LABEL_PAD;
    const height = LABEL_SIZE + 2 * LABEL_PAD;
    const turned = x + POINTER_RADIUS + width + LABEL_PAD > box.x + box.width;
    const left = turned ? x - POINTER_RADIUS - LABEL_PAD - width : x + POINTER_RADIUS + LABEL_PAD;
    context.beginPath();
    context.roundRect(left, y - height / 2, width, height, height / 2);
    context.fill();
    context.fillStyle = contrast;
    context.fillText(pointer.name, left + LABEL_PAD, y + 1);
  }
  context.restore();
}

function paint(context: Context, annotation: Annotation, box: Rectangle): void {
  const { lines, lettering, halo, opacity } = marks(annotation, box.width, box.height);
  const strength = context.globalAlpha;
  const contrast = haloColor(annotation.color);
  context.save();
  context.translate(box.x, box.y);
  context.lineCap = "round";
  context.lineJoin = "round";
  if (halo > 0) {
    // One path and one stroke, so that where lines meet the halo does not add up; all lines of a shape are as wide.
    context.globalAlpha = strength * HALO_OPACITY;
    context.strokeStyle = contrast;
    context.beginPath();
    for (const line of lines) {
      context.lineWidth = line.width + 2 * halo;
      trace(context, line);
    }
    context.stroke();
  }
  context.globalAlpha = strength * opacity;
  for (const line of lines) drawLine(context, line, annotation.color);
  for (const letters of lettering) drawLetters(context, letters, annotation.color, contrast, strength);
  context.restore();
}

function drawLine(context: Context, line: Line, color: string): void {
  context.strokeStyle = color;
  context.lineWidth = line.width;
  context.beginPath();
  trace(context, line);
  if (line.filled) {
    context.fillStyle = color;
    context.fill();
  }
  context.stroke();
}

function trace(context: Context, { points, closed }: Line): void {
  const [first, ...rest] = points;
  if (first === undefined) return;
  context.moveTo(first[0], first[1]);
  for (const [x, y] of rest) context.lineTo(x, y);
  // A line without any length is not drawn at all, not even its round ends.
  if (rest.every(([x, y]) => x === first[0] && y === first[1])) context.lineTo(first[0] + LEAST_LENGTH, first[1]);
  if (closed) context.closePath();
}

function drawLetters(context: Context, letters: Lettering, color: string, contrast: string, strength: number): void {
  context.font = `bold ${letters.size}px ${FONT_FAMILY}`;
  context.textAlign = letters.align;
  context.textBaseline = "alphabetic";
  const [x, y] = letters.at;
  if (!letters.reversed) {
    context.globalAlpha = strength * HALO_OPACITY;
    context.strokeStyle = contrast;
    context.lineWidth = 2 * Math.max(LEAST_HALO, TEXT_HALO * letters.size);
    context.strokeText(letters.text, x, y);
  }
  context.globalAlpha = strength;
  context.fillStyle = letters.reversed ? contrast : color;
  context.fillText(letters.text, x, y);
}

/** A canvas of the same size to compose on, kept for as long as the context lives. */
function scratchFor(context: Context): OffscreenCanvasRenderingContext2D | null {
  const { width, height } = context.canvas;
  const kept = scratches.get(context);
  if (kept !== undefined && kept.canvas.width === width && kept.canvas.height === height) return kept;
  const scratch = new OffscreenCanvas(width, height).getContext("2d");
  if (scratch !== null) scratches.set(context, scratch);
  return scratch;
}

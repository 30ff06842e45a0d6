/**
 * From the samples of a pen or a mouse to the points of a stroke: the tremor is taken out, gaps of a fast hand are
 * rounded, and points that change nothing to be seen are dropped. Works in CSS pixels; pure.
 */
import { getStrokePoints } from "perfect-freehand";
import type { Pixel } from "./marks.ts";

/** How much of the tremor is taken out, 0..1; more makes the line lag behind the hand. */
const STREAMLINE = 0.3;
/** Gaps longer than this are filled along a smooth curve, in pixels. */
const LONGEST_GAP = 6;
/** A point nearer than this to the line without it is dropped, in pixels. */
const TOLERANCE = 0.3;
/** The most points that a stroke may have, as annotate/shapes.py bounds it. */
export const MOST_POINTS = 2000;

/** The points that a stroke of `width` pixels keeps of its `samples`; the first and the last stay where they are. */
export function smooth(samples: readonly Pixel[], width: number): Pixel[] {
  const [first] = samples;
  if (first === undefined) return [];
  if (samples.length < 3) return [...samples];
  const settled = getStrokePoints(
    samples.map(([x, y]) => [x, y]),
    { size: Math.min(width, 2), streamline: STREAMLINE, last: true },
  ).map(({ point }): Pixel => [point[0] ?? 0, point[1] ?? 0]);
  // A scribble of so many samples has no gaps worth rounding.
  const kept = simplified(settled.length < MOST_POINTS ? rounded(settled) : settled, TOLERANCE);
  return thinned(kept);
}

/** Where a drag from `first` to `last` ends when Shift is held: a square's corner, or an arrow at a multiple of 45°. */
export function snapped(first: Pixel, last: Pixel, byAngle: boolean): Pixel {
  const [dx, dy] = [last[0] - first[0], last[1] - first[1]];
  if (byAngle) {
    const angle = (Math.round((Math.atan2(dy, dx) * 4) / Math.PI) * Math.PI) / 4;
    const length = Math.hypot(dx, dy);
    return [first[0] + Math.cos(angle) * length, first[1] + Math.sin(angle) * length];
  }
  const side = Math.max(Math.abs(dx), Math.abs(dy));
  return [first[0] + Math.sign(dx) * side, first[1] + Math.sign(dy) * side];
}

/** Every nth point, when there are more than a stroke may have. */
function thinned(points: Pixel[]): Pixel[] {
  const nth = Math.ceil((points.length - 1) / (MOST_POINTS - 1));
  return nth <= 1 ? points : points.filter((_, i) => i % nth === 0 || i === points.length - 1);
}

/** A centripetal Catmull-Rom curve through all points, sampled where they lie far apart. */
function rounded(points: readonly Pixel[]): Pixel[] {
  const curve: Pixel[] = [];
  points.forEach((from, i) => {
    curve.push(from);
    const to = points[i + 1];
    if (to === undefined) return;
    const length = distance(from, to);
    const before = points[i - 1];
    const after = points[i + 2];
    if (length <= LONGEST_GAP || before === undefined || after === undefined) return;
    const pieces = Math.min(16, Math.ceil(length / LONGEST_GAP));
    for (let piece = 1; piece < pieces; piece++) curve.push(between(before, from, to, after, piece / pieces));
  });
  return curve;
}

/** Barry and Goldman's recursive evaluation; the knots are the square roots of the distances. */
function between(a: Pixel, b: Pixel, c: Pixel, d: Pixel, part: number): Pixel {
  const t1 = Math.sqrt(distance(a, b)) || 1;
  const t2 = t1 + (Math.sqrt(distance(b, c)) || 1);
  const t3 = t2 + (Math.sqrt(distance(c, d)) || 1);
  const t = t1 + part * (t2 - t1);
  const ab = blend(a, b, t / t1);
  const bc = blend(b, c, (t - t1) / (t2 - t1));
  const cd = blend(c, d, (t - t2) / (t3 - t2));
  return blend(blend(ab, bc, t / t2), blend(bc, cd, (t - t1) / (t3 - t1)), (t - t1) / (t2 - t1));
}

/** Ramer, Douglas and Peucker, without recursion: a stroke may be long. */
function simplified(points: readonly Pixel[], tolerance: number): Pixel[] {
  const keep = new Set([0, points.length - 1]);
  const spans: [number, number][] = [[0, points.length - 1]];
  for (let span = spans.pop(); span !== undefined; span = spans.pop()) {
    const [start, end] = span;
    const from = points[start];
    const to = points[end];
    if (from === undefined || to === undefined) continue;
    let farthest = start;
    let most = tolerance;
    for (let i = start + 1; i < end; i++) {
      const off = offLine(points[i] ?? from, from, to);
      if (off > most) {
        most = off;
        farthest = i;
      }
    }
    if (farthest === start) continue;
    keep.add(farthest);
    spans.push([start, farthest], [farthest, end]);
  }
  return points.filter((_, i) => keep.has(i));
}

function offLine(point: Pixel, from: Pixel, to: Pixel): number {
  const [dx, dy] = [to[0] - from[0], to[1] - from[1]];
  const squared = dx * dx + dy * dy;
  const along = squared === 0 ? 0 : ((point[0] - from[0]) * dx + (point[1] - from[1]) * dy) / squared;
  return distance(point, blend(from, to, Math.min(1, Math.max(0, along))));
}

function blend(from: Pixel, to: Pixel, part: number): Pixel {
  return [from[0] + (to[0] - from[0]) * part, from[1] + (to[1] - from[1]) * part];
}

function distance(from: Pixel, to: Pixel): number {
  return Math.hypot(to[0] - from[0], to[1] - from[1]);
}

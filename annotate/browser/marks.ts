/**
 * What a shape is made of on a surface of so many pixels: lines, filled outlines and pieces of text.
 * The twin of annotate/marks.py, where the proportions are explained; both are held to
 * tests/annotate/golden/marks.json.
 */
import type { Annotation, Point } from "./shapes.ts";

export const LEAST_WIDTH = 2;
export const HALO = 0.3;
export const LEAST_HALO = 1;
export const HALO_OPACITY = 0.7;
export const HALO_LIGHT = "#ffffff";
export const HALO_DARK = "#16161a";
export const DARK_HALO_ABOVE = 0.35;
export const HIGHLIGHT_WIDTH = 4;
export const HIGHLIGHT_OPACITY = 0.4;
export const HEAD_LENGTH = 4;
export const HEAD_HALF = 0.45;
export const NECK = 0.8;
export const ELLIPSE_SIDES = 96;
export const FONT_SIZE = 0.8;
export const TEXT_HALO = 0.08;
export const STEP_RADIUS = 4.5;
export const LEAST_STEP = 0.011;
export const DIGIT_SIZE = 1.15;
export const DIGIT_DROP = 0.36;
export const LABEL_GAP = 0.4;
export const LABEL_TURNS_AT = 0.7;

export type Pixel = readonly [number, number];

/** A line with round ends and joins through `points`; all in pixels. A single point is a dot. */
export interface Line {
  readonly points: readonly Pixel[];
  readonly width: number;
  readonly closed: boolean;
  readonly filled: boolean;
}

/** A line of text whose baseline begins, is centered, or ends at `at`; `size` is the font's, in pixels. */
export interface Lettering {
  readonly at: Pixel;
  readonly text: string;
  readonly size: number;
  readonly align: "left" | "center" | "right";
  /** Whether it stands on the annotation's own color, in the halo's color and without a halo. */
  readonly reversed: boolean;
}

/** Everything that an annotation draws, lines first; `halo` is the reach around lines, 0 for none. */
export interface Marks {
  readonly lines: readonly Line[];
  readonly lettering: readonly Lettering[];
  readonly halo: number;
  readonly opacity: number;
}

/** Relative luminance (WCAG 2.2) of `#rrggbb`, 0..1. */
export function luminance(color: string): number {
  const linear = (start: number) => {
    const value = Number.parseInt(color.slice(start, start + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * linear(1) + 0.7152 * linear(3) + 0.0722 * linear(5);
}

/** The color, as `#rrggbb`, that sets `color` off from whatever lies below. */
export function haloColor(color: string): string {
  return luminance(color) > DARK_HALO_ABOVE ? HALO_DARK : HALO_LIGHT;
}

/** What `annotation` draws on a surface of `width` × `height` pixels. */
export function marks(annotation: Annotation, width: number, height: number): Marks {
  const pen = Math.max(LEAST_WIDTH, annotation.width * width);
  const halo = Math.max(LEAST_HALO, HALO * pen);
  const at = ([x, y]: Point): Pixel => [x * width, y * height];
  const outline = (points: readonly Pixel[]): Marks => ({
    lines: [{ points, width: pen, closed: true, filled: false }],
    lettering: [],
    halo,
    opacity: 1,
  });
  const { shape } = annotation;
  switch (shape.kind) {
    case "stroke":
      return { lines: [open(shape.points.map(at), pen)], lettering: [], halo, opacity: 1 };
    case "highlight": {
      const line = open(shape.points.map(at), HIGHLIGHT_WIDTH * pen);
      return { lines: [line], lettering: [], halo: 0, opacity: HIGHLIGHT_OPACITY };
    }
    case "arrow":
      return { lines: arrow(at(shape.start), at(shape.end), pen), lettering: [], halo, opacity: 1 };
    case "box": {
      const [left, top] = at(shape.start);
      const [right, bottom] = at(shape.end);
      return outline([
        [left, top],
        [right, top],
        [right, bottom],
        [left, bottom],
      ]);
    }
    case "ellipse":
      return outline(ellipse(at(shape.start), at(shape.end)));
    case "text":
      return { lines: [], lettering: textRows(at(shape.at), shape.text, shape.size * width), halo, opacity: 1 };
    case "step": {
      const radius = Math.max(STEP_RADIUS * pen, LEAST_STEP * width);
      const turned = shape.at[0] >= LABEL_TURNS_AT;
      const lettering = stepLettering(at(shape.at), shape.number, shape.text, radius, turned);
      return { lines: [open([at(shape.at)], 2 * radius)], lettering, halo, opacity: 1 };
    }
  }
}

function open(points: readonly Pixel[], width: number): Line {
  return { points, width, closed: false, filled: false };
}

function arrow(start: Pixel, end: Pixel, pen: number): Line[] {
  const length = Math.hypot(end[0] - start[0], end[1] - start[1]);
  if (length < 0.01) return [open([end], pen)];
  const along = [(end[0] - start[0]) / length, (end[1] - start[1]) / length] as const;
  const tipped = Math.min(pen / 2, length / 2);
  const tip: Pixel = [end[0] - along[0] * tipped, end[1] - along[1] * tipped];
  const head = Math.min(HEAD_LENGTH * pen, length - tipped);
  const base = [tip[0] - along[0] * head, tip[1] - along[1] * head] as const;
  const neck: Pixel = [tip[0] - along[0] * head * NECK, tip[1] - along[1] * head * NECK];
  const side = [-along[1] * head * HEAD_HALF, along[0] * head * HEAD_HALF] as const;
  const barbs: Pixel[] = [tip, [base[0] + side[0], base[1] + side[1]], [base[0] - side[0], base[1] - side[1]]];
  return [open([start, neck], pen), { points: barbs, width: pen, closed: true, filled: true }];
}

function ellipse(start: Pixel, end: Pixel): Pixel[] {
  const middle = [(start[0] + end[0]) / 2, (start[1] + end[1]) / 2] as const;
  const radii = [Math.abs(end[0] - start[0]) / 2, Math.abs(end[1] - start[1]) / 2] as const;
  return Array.from({ length: ELLIPSE_SIDES }, (_, i) => {
    const turn = (2 * Math.PI * i) / ELLIPSE_SIDES;
    return [middle[0] + radii[0] * Math.cos(turn), middle[1] + radii[1] * Math.sin(turn)] as const;
  });
}

function textRows(at: Pixel, text: string, line: number): Lettering[] {
  return text
    .split("\n")
    .map((row, i) => ({
      at: [at[0], at[1] + line * (i + FONT_SIZE)] as const,
      text: row,
      size: line * FONT_SIZE,
      align: "left" as const,
      reversed: false,
    }))
    .filter(({ text: row }) => row.trim() !== "");
}

function stepLettering(at: Pixel, number: number, text: string, radius: number, turned: boolean): Lettering[] {
  const size = radius * DIGIT_SIZE;
  const baseline = at[1] + size * DIGIT_DROP;
  const digits: Lettering = { at: [at[0], baseline], text: String(number), size, align: "center", reversed: true };
  if (text.trim() === "") return [digits];
  const reach = radius * (1 + LABEL_GAP);
  const label: Lettering = {
    at: [turned ? at[0] - reach : at[0] + reach, baseline],
    text: text.replaceAll("\n", " "),
    size,
    align: turned ? "right" : "left",
    reversed: false,
  };
  return [digits, label];
}

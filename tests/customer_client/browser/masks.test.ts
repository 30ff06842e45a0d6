import { expect, test } from "vitest";
import { between, type Mask, moved, paint, resized, SMALLEST } from "../../../customer_client/browser/masks";

const MASK: Mask = { left: 0.25, top: 0.25, right: 0.75, bottom: 0.5 };

/** What of a picture of this size is left to be seen, as lines of letters. */
function painted(width: number, height: number, masks: readonly Mask[]): string[] {
  const lines = Array.from({ length: height }, () => Array.from({ length: width }, () => "."));
  const fillRect = (x: number, y: number, wide: number, high: number) => {
    for (const line of lines.slice(y, y + high)) line.fill("#", x, x + wide);
  };
  paint({ fillStyle: "", fillRect }, width, height, masks);
  return lines.map((line) => line.join(""));
}

test("a mask lies between two points, in whatever way they were dragged, and ends with the surface", () => {
  expect(between([0.75, 0.25], [0.25, 0.5])).toEqual(MASK);
  expect(between([0.5, 0.5], [-3, 7])).toEqual({ left: 0, top: 0.5, right: 0.5, bottom: 1 });
});

test("a click is no mask, nor is what lies beside the surface", () => {
  expect(between([0.5, 0.5], [0.505, 0.505])).toBeNull();
  expect(between([1.1, 0.2], [1.5, 0.9])).toBeNull();
});

test("a mask that is moved keeps its size and stays on the surface", () => {
  expect(moved(MASK, 0.125, -0.125)).toEqual({ left: 0.375, top: 0.125, right: 0.875, bottom: 0.375 });
  expect(moved(MASK, 9, 9)).toEqual({ left: 0.5, top: 0.75, right: 1, bottom: 1 });
});

test("a mask's corner goes neither beyond the surface nor beyond the mask's own beginning", () => {
  expect(resized(MASK, 0.125, 0.25)).toEqual({ ...MASK, right: 0.875, bottom: 0.75 });
  expect(resized(MASK, 9, -9)).toEqual({ ...MASK, right: 1, bottom: 0.25 + SMALLEST });
});

test("paint goes outwards to even pixels, and over every mask", () => {
  expect(painted(8, 4, [MASK])).toEqual(["..####..", "..####..", "........", "........"]);
  expect(painted(7, 5, [{ left: 0.45, top: 0.25, right: 0.5, bottom: 0.5 }])).toEqual([
    "..##...",
    "..##...",
    "..##...",
    "..##...",
    ".......",
  ]);
  expect(painted(4, 2, [MASK, { left: 0.9, top: 0, right: 1, bottom: 1 }])).toEqual(["####", "####"]);
});

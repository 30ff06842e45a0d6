import { describe, expect, it } from "vitest";
import { History } from "../../annotate/browser/history.ts";
import { haloColor, luminance, type Pixel } from "../../annotate/browser/marks.ts";
import { authorColor, PALETTE } from "../../annotate/browser/palette.ts";
import { MOST_POINTS, smooth } from "../../annotate/browser/strokes.ts";

describe("a stroke", () => {
  it("keeps its ends", () => {
    const samples: Pixel[] = Array.from({ length: 50 }, (_, i) => [i * 7, 100 + 30 * Math.sin(i / 5)]);
    const kept = smooth(samples, 5);
    expect(kept[0]).toEqual(samples[0]);
    expect(kept.at(-1)).toEqual(samples.at(-1));
  });

  it("needs two points to be straight", () => {
    const samples: Pixel[] = Array.from({ length: 200 }, (_, i) => [10 + i, 20 + 2 * i]);
    expect(smooth(samples, 5)).toHaveLength(2);
  });

  it("stays within a few pixels of the hand", () => {
    const samples: Pixel[] = Array.from({ length: 120 }, (_, i) => [
      200 + 100 * Math.cos(i / 19),
      200 + 100 * Math.sin(i / 19),
    ]);
    for (const [x, y] of smooth(samples, 5)) expect(Math.abs(Math.hypot(x - 200, y - 200) - 100)).toBeLessThan(2);
  });

  it("rounds what a fast hand left out", () => {
    const samples: Pixel[] = Array.from({ length: 13 }, (_, i) => [
      200 + 100 * Math.cos(i / 2),
      200 + 100 * Math.sin(i / 2),
    ]);
    const kept = smooth(samples, 5);
    expect(kept.length).toBeGreaterThan(3 * samples.length);
  });

  it("never has more points than the protocol takes", () => {
    const samples: Pixel[] = Array.from({ length: 30_000 }, (_, i) => [
      500 + 400 * Math.sin(i * 1.7) * Math.cos(i / 3),
      500 + 400 * Math.cos(i * 2.3),
    ]);
    const kept = smooth(samples, 5);
    expect(kept.length).toBeLessThanOrEqual(MOST_POINTS);
    expect(kept.length).toBeGreaterThan(100);
  });

  it("may be a dot", () => {
    expect(smooth([[3, 4]], 5)).toEqual([[3, 4]]);
    const pressed: Pixel[] = [
      [3, 4],
      [3, 4],
      [3, 4],
    ];
    expect(smooth(pressed, 5).every(([x, y]) => x === 3 && y === 4)).toBe(true);
    expect(smooth([], 5)).toEqual([]);
  });
});

describe("undo and redo", () => {
  it("go back and forth through one's own changes", () => {
    const history = new History();
    history.added("a");
    history.added("b");
    history.erased(["a", "b", "c"]);
    expect(history.undo()).toEqual({ kind: "restore", ids: ["a", "b", "c"] });
    expect(history.undo()).toEqual({ kind: "erase", ids: ["b"] });
    expect(history.redo()).toEqual({ kind: "restore", ids: ["b"] });
    expect(history.redo()).toEqual({ kind: "erase", ids: ["a", "b", "c"] });
    expect(history.redo()).toBeNull();
  });

  it("forget what was undone once something new is drawn", () => {
    const history = new History();
    history.added("a");
    history.undo();
    expect(history.canRedo).toBe(true);
    history.added("b");
    expect(history.canRedo).toBe(false);
    expect(history.undo()).toEqual({ kind: "erase", ids: ["b"] });
    expect(history.canUndo).toBe(false);
    expect(history.undo()).toBeNull();
  });

  it("pass over what was refused", () => {
    const history = new History();
    history.added("a");
    history.added("b");
    history.refused("b");
    expect(history.undo()).toEqual({ kind: "erase", ids: ["a"] });
  });

  it("clear nothing when there is nothing to clear", () => {
    const history = new History();
    history.erased([]);
    expect(history.canUndo).toBe(false);
  });
});

describe("the colors by author", () => {
  const contrast = (one: string, other: string) => {
    const [low = 0, high = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };

  it.each(PALETTE)("%s stands out from white, from near black and from its halo", (color) => {
    expect(contrast(color, "#ffffff")).toBeGreaterThanOrEqual(3);
    expect(contrast(color, "#131316")).toBeGreaterThanOrEqual(3);
    expect(contrast(color, haloColor(color))).toBeGreaterThanOrEqual(3);
  });

  it("are eight, and come round again", () => {
    expect(new Set(PALETTE).size).toBe(8);
    expect(authorColor(0)).toBe(PALETTE[0]);
    expect(authorColor(9)).toBe(PALETTE[1]);
  });
});

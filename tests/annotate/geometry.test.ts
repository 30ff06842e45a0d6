import { describe, expect, it } from "vitest";
import {
  clampToSurface,
  contentBox,
  FIT,
  fromFraction,
  isInside,
  oneToOne,
  pan,
  place,
  scaleOf,
  toFraction,
  type View,
  zoomAround,
} from "../../annotate/browser/geometry.ts";
import type { Point } from "../../annotate/browser/shapes.ts";

const HD = { width: 1920, height: 1080 };

describe("the content box", () => {
  it("leaves bars above and below a wide picture", () => {
    const box = contentBox({ x: 10, y: 20, width: 400, height: 400 }, HD);
    expect(box).toEqual({ x: 10, y: 20 + (400 - 225) / 2, width: 400, height: 225 });
  });

  it("leaves bars beside a tall picture", () => {
    const box = contentBox({ x: 0, y: 0, width: 800, height: 400 }, { width: 300, height: 600 });
    expect(box).toEqual({ x: 300, y: 0, width: 200, height: 400 });
  });

  it("is the whole frame when the picture is stretched or has no size yet", () => {
    const frame = { x: 5, y: 5, width: 100, height: 300 };
    expect(contentBox(frame, HD, "fill")).toEqual(frame);
    expect(contentBox(frame, { width: 0, height: 0 })).toEqual(frame);
  });
});

describe("points of the surface", () => {
  const box = { x: 100, y: 50, width: 400, height: 200 };
  const points: Point[] = [
    [100, 50],
    [300, 150],
    [500, 250],
    [333.3, 77.7],
  ];

  it.each(points)("come back to where they were: %d, %d", (x, y) => {
    const fraction = toFraction(box, [x, y]);
    expect(fraction).not.toBeNull();
    const [backX, backY] = fromFraction(box, fraction ?? [0, 0]);
    expect(backX).toBeCloseTo(x, 9);
    expect(backY).toBeCloseTo(y, 9);
  });

  it("lie at 0 and 1 on the corners, and outside beyond them", () => {
    expect(toFraction(box, [100, 50])).toEqual([0, 0]);
    expect(toFraction(box, [500, 250])).toEqual([1, 1]);
    expect(isInside([0, 1])).toBe(true);
    expect(isInside(toFraction(box, [99, 100]) ?? [0, 0])).toBe(false);
    expect(clampToSurface([-0.2, 1.7])).toEqual([0, 1]);
  });

  it("do not exist in a box without area", () => {
    expect(toFraction({ x: 0, y: 0, width: 0, height: 10 }, [0, 0])).toBeNull();
  });
});

describe("zooming", () => {
  const frame = { width: 960, height: 600 };

  it("fits the surface at first", () => {
    expect(place(FIT, frame, HD)).toEqual({ x: 0, y: 30, width: 960, height: 540 });
  });

  it("keeps the spot below the pointer where it is", () => {
    let view: View = FIT;
    const pointer: Point = [700, 400];
    for (const factor of [1.5, 1.2, 2, 0.8, 1.1]) {
      const before = toFraction(place(view, frame, HD), pointer);
      view = zoomAround(view, frame, HD, pointer, factor);
      const after = fromFraction(place(view, frame, HD), before ?? [0, 0]);
      expect(after[0]).toBeCloseTo(pointer[0], 6);
      // The first steps still show all of the height, which stays centered.
      if (place(view, frame, HD).height > frame.height * 1.3) expect(after[1]).toBeCloseTo(pointer[1], 6);
    }
  });

  it("goes back to the whole surface and no further", () => {
    const near = zoomAround(FIT, frame, HD, [10, 10], 4);
    expect(zoomAround(near, frame, HD, [900, 500], 0.01)).toEqual(FIT);
  });

  it("has an end", () => {
    const near = zoomAround(FIT, frame, HD, [480, 300], 1000);
    expect(scaleOf(near, frame, HD)).toBe(8);
  });

  it("shows one pixel on one pixel of the screen", () => {
    expect(place(oneToOne(FIT, 2), frame, HD)).toEqual({ x: 0, y: 30, width: 960, height: 540 });
    expect(place(oneToOne(FIT, 1), frame, HD)).toEqual({ x: -480, y: -240, width: 1920, height: 1080 });
  });

  it("drags the picture as far as its edge", () => {
    const whole = oneToOne(FIT, 1);
    const moved = pan(whole, frame, HD, 100, -50);
    expect(place(moved, frame, HD)).toMatchObject({ x: -380, y: -290 });
    const edge = place(pan(whole, frame, HD, 10_000, -10_000), frame, HD);
    expect(edge.x).toBeCloseTo(0, 9);
    expect(edge.y).toBeCloseTo(600 - 1080, 9);
    expect(pan(FIT, frame, HD, 50, 50)).toEqual(FIT);
  });
});

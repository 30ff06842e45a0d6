import { expect, test } from "vitest";
import { Grid } from "../../../signaling/browser/grid";

const [WIDTH, HEIGHT] = [640, 300];

test("a grid knows what changed after which picture, and puts neighbours together", () => {
  const grid = new Grid(WIDTH, HEIGHT, 7);
  const picture = new Uint32Array(WIDTH * HEIGHT);
  grid.take(picture);
  expect([grid.version, grid.since(7).length, grid.since(8)]).toEqual([8, 15, []]);
  expect(grid.parts(grid.since(0)).slice(0, 3)).toEqual([
    { left: 0, top: 0, width: 512, height: 128 },
    { left: 512, top: 0, width: 128, height: 128 },
    { left: 0, top: 128, width: 512, height: 128 },
  ]);
  expect(grid.parts([9, 10, 14])).toEqual([
    { left: 512, top: 128, width: 128, height: 128 },
    { left: 0, top: 256, width: 128, height: 44 },
    { left: 512, top: 256, width: 128, height: 44 },
  ]);
  grid.take(picture.slice());
  expect(grid.version).toBe(8);
  const other = picture.slice();
  other[299 * WIDTH + 639] = 1;
  other[130] = 1;
  grid.take(other);
  expect([grid.version, grid.since(8), grid.since(9)]).toEqual([9, [1, 14], []]);
});

import { expect, test } from "vitest";
import { Ladder } from "../../../signaling/browser/ladder";

/** Whether live snapshots are wanted after each half second in which media came (true) or did not. */
function steps(...flows: boolean[]): boolean[] {
  const ladder = new Ladder();
  return flows.map((flow, index) => ladder.step(flow, index * 500));
}

const [no, yes] = [false, true];

test("without a first picture in four seconds live snapshots come", () => {
  expect(steps(no, no, no, no, no, no, no, no)).not.toContain(true);
  expect(steps(no, no, no, no, no, no, no, no, no).at(-1)).toBe(true);
});

test("a picture that was there is missed for a second, and not for less", () => {
  expect(steps(yes, no, no, no)).toEqual([no, no, no, yes]);
  expect(steps(yes, no, no, yes, no, no)).not.toContain(true);
});

test("media that come back are believed after half a second, and what flickers is not", () => {
  expect(steps(yes, no, no, no, yes, no, yes, yes)).toEqual([no, no, no, yes, yes, yes, yes, no]);
});

test("another sharing begins with the patience of a first one", () => {
  const ladder = new Ladder();
  for (const [flows, now] of [
    [yes, 0],
    [no, 500],
    [no, 1_500],
  ] as const)
    ladder.step(flows, now);
  expect(ladder.down).toBe(true);
  ladder.reset();
  expect([ladder.step(no, 2_000), ladder.step(no, 5_500), ladder.step(no, 6_000)]).toEqual([no, no, yes]);
});

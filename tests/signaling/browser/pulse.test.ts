import { expect, test } from "vitest";
import { Pulse } from "../../../signaling/browser/pulse";

/** Whether the sender counts as gone after each of these: bytes so far, ms, and whether it has a link. */
function heard(...reports: [number, number, boolean][]): boolean[] {
  const pulse = new Pulse();
  return reports.map(([bytes, now, linked]) => {
    pulse.hear(bytes, now, linked);
    return pulse.stopped;
  });
}

test("a sender is gone after two seconds of silence, and back with its next byte", () => {
  expect(heard([10, 5_000, true], [10, 6_999, true], [10, 7_000, true], [11, 7_250, true])).toEqual([
    false,
    false,
    true,
    false,
  ]);
});

test("one that has lost its link as well is gone after half a second, and not for the link alone", () => {
  expect(heard([10, 5_000, true], [20, 5_250, false], [20, 5_500, false], [20, 5_750, false])).toEqual([
    false,
    false,
    false,
    true,
  ]);
});

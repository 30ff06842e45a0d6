import { expect, test } from "vitest";
import { Inputs, Wheel } from "../../../agent_client/browser/live/control";
import type { Input } from "../../../signaling/browser/messages";

const move = (x: number): Input => ({ kind: "move_pointer", x, y: 0 });
const press: Input = { kind: "press_button", button: "left" };

test("of moves in a row only the last is sent, and none is moved past a press", () => {
  const inputs = new Inputs();
  for (const input of [move(0.1), move(0.2), press, move(0.3), move(0.4)]) inputs.add(input);
  expect(inputs.take()).toEqual([move(0.2), press, move(0.4)]);
  expect(inputs.take()).toEqual([]);
});

test("what is more than a message holds goes into the next", () => {
  const inputs = new Inputs();
  for (let count = 0; count < 70; count += 1) inputs.add(press);
  expect([inputs.take().length, inputs.take().length, inputs.take().length]).toEqual([64, 6, 0]);
});

test("a wheel turns in whole detents, whatever it is measured in", () => {
  const wheel = new Wheel();
  expect(wheel.turn(0, 60, 0)).toBeNull();
  expect(wheel.turn(0, 60, 0)).toEqual({ kind: "turn_wheel", x: 0, y: 1 });
  expect(wheel.turn(0, -20, 0)).toBeNull();
  expect(wheel.turn(-3.1, 0, 1)).toEqual({ kind: "turn_wheel", x: -1, y: 0 });
  expect(wheel.turn(0, 1e9, 0)).toEqual({ kind: "turn_wheel", x: 0, y: 20 });
});

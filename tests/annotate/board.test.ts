import { describe, expect, it } from "vitest";
import { Board } from "../../annotate/browser/board.ts";
import { marks } from "../../annotate/browser/marks.ts";
import type { Annotation } from "../../annotate/browser/shapes.ts";
import { goldenBoards, goldenMarks } from "./golden_boards.ts";

describe.each(goldenBoards())("the golden board $name", ({ board: { events, moments } }) => {
  it.each(moments)("shows what it must on $surface at $now", ({ surface, now, visible }) => {
    const shown = [...Board.fold(events, now).visible(surface, now)];
    expect(shown.map(([{ annotation }, opacity]) => [annotation.id, Number(opacity.toFixed(6))])).toEqual(visible);
  });

  it("is the same, folded at once or change by change", () => {
    let board = Board.EMPTY;
    for (const { at, actor, body } of events) board = board.apply(body, actor, at);
    expect([...board.placed]).toEqual([...Board.fold(events).placed]);
  });
});

describe("the proportions of the ink", () => {
  it.each(goldenMarks())("are the twin's: $annotation.id at $size", ({ annotation, size, marks: expected }) => {
    const made = marks(annotation, ...size);
    expect(made).toEqual(close(expected));
  });
});

describe("a board", () => {
  const line = (id: string, fade = false): Annotation => ({
    id,
    surface: "screen",
    color: "#e5322d",
    width: 0.003,
    fade,
    shape: { kind: "stroke", points: [[0.5, 0.5]] },
  });
  const step = (id: string, number: number): Annotation => ({
    ...line(id),
    shape: { kind: "step", at: [0.5, 0.5], number, text: "" },
  });

  it("is the same object when a change changes nothing", () => {
    const board = Board.EMPTY.apply({ type: "annotation_added", annotation: line("a") }, "alice", 1);
    expect(board.apply({ type: "annotation_added", annotation: line("a", true) }, "bob", 2)).toBe(board);
    expect(board.apply({ type: "annotations_erased", annotations: ["b"] }, "bob", 2)).toBe(board);
    expect(board.apply({ type: "annotations_restored", annotations: ["a"] }, "bob", 2)).toBe(board);
  });

  it("passes over events that draw nothing", () => {
    const said = { at: 1, actor: "alice", body: { type: "chat_said", text: "hello" } };
    expect(Board.fold([said]).placed.size).toBe(0);
  });

  it("says when it will next look different", () => {
    const board = Board.EMPTY.apply({ type: "annotation_added", annotation: line("stays") }, "alice", 1000);
    expect(board.nextFade("screen", 2000)).toBeNull();
    const fading = board.apply({ type: "annotation_added", annotation: line("fades", true) }, "alice", 1000);
    expect(fading.nextFade("screen", 2000)).toBe(6000);
    expect(fading.nextFade("screen", 6500)).toBe(6500);
    expect(fading.nextFade("screen", 7000)).toBeNull();
    expect(fading.nextFade("snapshot", 2000)).toBeNull();
  });

  it("numbers the next step after the highest that is to be seen", () => {
    let board = Board.EMPTY;
    expect(board.nextStep("screen", 10)).toBe(1);
    board = board.apply({ type: "annotation_added", annotation: step("one", 1) }, "alice", 1);
    board = board.apply({ type: "annotation_added", annotation: step("two", 2) }, "bob", 2);
    expect(board.nextStep("screen", 10)).toBe(3);
    expect(board.nextStep("snapshot", 10)).toBe(1);
    board = board.apply({ type: "annotations_erased", annotations: ["two"] }, "bob", 3);
    expect(board.nextStep("screen", 10)).toBe(2);
    board = board.apply({ type: "annotation_added", annotation: step("last", 99) }, "bob", 4);
    expect(board.nextStep("screen", 10)).toBe(99);
  });
});

/** The same, with each number to be met within a few millionths of a pixel: sines may differ in their last digits. */
function close(value: unknown): unknown {
  if (typeof value === "number") return expect.closeTo(value, 5);
  if (Array.isArray(value)) return value.map(close);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, close(item)]));
}

/** The golden boards, for vitest; tests/annotate/golden_boards.py reads the same files. */
import type { Marks } from "../../annotate/browser/marks.ts";
import type { Annotation, BoardChange } from "../../annotate/browser/shapes.ts";

export interface GoldenBoard {
  readonly events: readonly { at: number; actor: string; body: BoardChange }[];
  readonly moments: readonly { surface: string; now: number; visible: [string, number][] }[];
}

export interface GoldenMarks {
  readonly annotation: Annotation;
  readonly size: [number, number];
  readonly marks: Marks;
}

const FILES: Record<string, unknown> = import.meta.glob("./golden/*.json", { eager: true, import: "default" });

export function goldenBoards(): { name: string; board: GoldenBoard }[] {
  return Object.entries(FILES)
    .filter(([path]) => !path.endsWith("/marks.json"))
    .map(([path, board]) => ({ name: path.slice("./golden/".length, -".json".length), board: board as GoldenBoard }));
}

export function goldenMarks(): GoldenMarks[] {
  return FILES["./golden/marks.json"] as GoldenMarks[];
}

/**
 * The board: what has been drawn in a session, as a fold over its annotation events.
 * The twin of annotate/board.py; both are held to tests/annotate/golden.
 */
import type { Annotation, BoardChange } from "./shapes.ts";

/** How long an annotation with `fade` stays fully visible. */
export const FADE_AFTER_MS = 5_000;
/** How long it then takes to vanish, linearly. */
export const FADE_FOR_MS = 1_000;

/** An annotation on the board with its author, the moment it was added (ms since 1970), and whether it is erased. */
export interface Placed {
  readonly annotation: Annotation;
  readonly author: string;
  readonly at: number;
  readonly erased: boolean;
}

/** The part of a timeline's event that the board reads; bodies of other types are passed over. */
export interface BoardEvent {
  readonly at: number;
  readonly actor: string;
  readonly body: { readonly type: string };
}

/** 0..1 at the moment `now` (ms since 1970). */
export function opacityOf(placed: Placed, now: number): number {
  if (placed.erased || now < placed.at) return 0;
  if (!placed.annotation.fade) return 1;
  return Math.min(1, Math.max(0, 1 - (now - placed.at - FADE_AFTER_MS) / FADE_FOR_MS));
}

export function isBoardChange(body: { readonly type: string }): body is BoardChange {
  return body.type === "annotation_added" || body.type === "annotations_erased" || body.type === "annotations_restored";
}

/** Every annotation of a session by its id, in the order of drawing. Never changes: `apply` makes another. */
export class Board {
  static readonly EMPTY = new Board(new Map());

  private constructor(readonly placed: ReadonlyMap<string, Placed>) {}

  /** The board as it was at `until` (ms since 1970), from a session's events in their order. */
  static fold(events: Iterable<BoardEvent>, until = Number.POSITIVE_INFINITY): Board {
    const placed = new Map<string, Placed>();
    for (const { at, actor, body } of events) {
      if (at > until) break;
      if (isBoardChange(body)) write(placed, body, actor, at);
    }
    return new Board(placed);
  }

  /** The board after `change`; an id that is unknown, or added twice, changes nothing. */
  apply(change: BoardChange, author: string, at: number): Board {
    const placed = new Map(this.placed);
    return write(placed, change, author, at) ? new Board(placed) : this;
  }

  /** What is to be seen on `surface` at `now` (ms since 1970), lowest first, each with its opacity above 0. */
  *visible(surface: string, now: number): Generator<[Placed, number]> {
    for (const placed of this.placed.values()) {
      if (placed.annotation.surface !== surface) continue;
      const opacity = opacityOf(placed, now);
      if (opacity > 0) yield [placed, opacity];
    }
  }

  /** When `surface` next looks different without another event (ms since 1970): `now` while something fades. */
  nextFade(surface: string, now: number): number | null {
    let next: number | null = null;
    for (const [{ annotation, at }] of this.visible(surface, now)) {
      if (!annotation.fade) continue;
      const starts = Math.max(now, at + FADE_AFTER_MS);
      next = next === null ? starts : Math.min(next, starts);
    }
    return next;
  }

  /** The number for the next step on `surface`: one more than the highest to be seen there, at most 99. */
  nextStep(surface: string, now: number): number {
    let highest = 0;
    for (const [{ annotation }] of this.visible(surface, now)) {
      if (annotation.shape.kind === "step") highest = Math.max(highest, annotation.shape.number);
    }
    return Math.min(99, highest + 1);
  }
}

function write(placed: Map<string, Placed>, change: BoardChange, author: string, at: number): boolean {
  if (change.type === "annotation_added") {
    const { annotation } = change;
    if (placed.has(annotation.id)) return false;
    placed.set(annotation.id, { annotation, author, at, erased: false });
    return true;
  }
  const erased = change.type === "annotations_erased";
  let changed = false;
  for (const id of change.annotations) {
    const found = placed.get(id);
    if (found === undefined || found.erased === erased) continue;
    placed.set(id, { ...found, erased });
    changed = true;
  }
  return changed;
}

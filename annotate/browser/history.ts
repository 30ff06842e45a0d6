/**
 * Undo and redo of one participant's own changes to the board. Nothing here touches the board: each step answers with
 * what to ask of the server.
 */
import type { Board } from "./board.ts";

/** What to send: erase or restore these annotations. */
export interface Reversal {
  readonly kind: "erase" | "restore";
  readonly ids: readonly string[];
}

interface Change {
  readonly kind: "added" | "erased";
  readonly ids: readonly string[];
}

export class History {
  readonly #done: Change[] = [];
  readonly #undone: Change[] = [];

  /** Begin with what `author` has on the board, as after a reload. */
  static of(board: Board, author: string): History {
    const history = new History();
    for (const { annotation, author: by, erased } of board.placed.values()) {
      if (by === author && !erased) history.added(annotation.id);
    }
    return history;
  }

  get canUndo(): boolean {
    return this.#done.length > 0;
  }

  get canRedo(): boolean {
    return this.#undone.length > 0;
  }

  /** A new annotation was put on the board; what was undone before can no longer be redone. */
  added(id: string): void {
    this.#record({ kind: "added", ids: [id] });
  }

  /** Annotations were cleared away, one's own or everyone's. */
  erased(ids: readonly string[]): void {
    if (ids.length > 0) this.#record({ kind: "erased", ids });
  }

  /** An annotation was refused: it never was on the board. */
  refused(id: string): void {
    for (const stack of [this.#done, this.#undone]) {
      const index = stack.findIndex(({ kind, ids }) => kind === "added" && ids[0] === id);
      if (index >= 0) stack.splice(index, 1);
    }
  }

  undo(): Reversal | null {
    const change = this.#done.pop();
    if (change === undefined) return null;
    this.#undone.push(change);
    return { kind: change.kind === "added" ? "erase" : "restore", ids: change.ids };
  }

  redo(): Reversal | null {
    const change = this.#undone.pop();
    if (change === undefined) return null;
    this.#done.push(change);
    return { kind: change.kind === "added" ? "restore" : "erase", ids: change.ids };
  }

  #record(change: Change): void {
    this.#done.push(change);
    this.#undone.length = 0;
  }
}

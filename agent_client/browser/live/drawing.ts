import { effect, signal } from "@preact/signals";
import { Gestures, type Tool } from "../../../annotate/browser/gestures";
import { authorColor } from "../../../annotate/browser/palette";
import type { Annotation, Point } from "../../../annotate/browser/shapes";
import { t } from "../app/words";
import type { LiveSession } from "./live_session";
import type { Picture } from "./picture";

/** Shorter than the ink layer's patience with a drawing whose event has not come. */
const REMIND_EVERY_MS = 2_000;

/** A participant's color: that of their place in the order of coming in. */
export function colorOf(live: LiveSession, participant: string): string {
  const people = Object.values(live.session.value.participants).filter((one) => one.role !== "recorder");
  return authorColor(
    Math.max(
      0,
      people.findIndex((one) => one.id === participant),
    ),
  );
}

/** The agent's hand: the tool and the color in it, what it draws, and what others draw meanwhile. */
export class Drawing {
  readonly tool = signal<Tool>("pointer");
  readonly color = signal<string | null>(null);
  readonly fade = signal(false);
  readonly canUndo = signal(false);
  readonly canRedo = signal(false);
  readonly #gestures: Gestures;
  readonly #effects: (() => void)[];
  readonly #timer: number;
  /** Drawn here, and neither committed nor refused yet. */
  readonly #unsettled = new Map<string, Annotation>();
  #shownPeople: ReadonlySet<string> = new Set();

  constructor(
    readonly live: LiveSession,
    readonly picture: Picture,
  ) {
    const gestures = new Gestures(picture.ink, {
      author: live.me.value,
      color: this.inHand(),
      onPointer: (surface, at, visible) => void live.relay(pointer(surface, at, visible)),
      onDrawing: (annotation) => void live.relay({ type: "drawing", annotation }),
      onAnnotate: (annotation) => void this.#annotate(annotation),
      onReverse: ({ kind, ids }) =>
        void live.command({ type: kind === "erase" ? "erase" : "restore", annotations: [...ids] }),
      onHistory: () => this.#remember(),
      labels: { text: t("stage.text"), step: t("stage.step") },
    });
    this.#gestures = gestures;
    this.#timer = window.setInterval(() => this.#remind(), REMIND_EVERY_MS);
    this.#remember();
    this.#effects = [
      effect(() => {
        gestures.tool = live.seen.value ? this.tool.value : null;
      }),
      effect(() => {
        gestures.color = this.inHand();
        gestures.fade = this.fade.value;
      }),
      effect(() => this.#follow()),
    ];
  }

  /** The color that is drawn in: the chosen one, or one's own. */
  inHand(): string {
    return this.color.value ?? colorOf(this.live, this.live.me.value);
  }

  undo(): void {
    this.#gestures.undo();
  }

  redo(): void {
    this.#gestures.redo();
  }

  clearMine(): void {
    this.#gestures.clearMine();
  }

  clearAll(): void {
    this.#gestures.clear();
  }

  /** Drops what is being drawn, or else puts the tool down. */
  escape(): void {
    if (!this.#gestures.cancel()) this.tool.value = "pointer";
  }

  /** Drops what is being drawn: two fingers mean the picture, not the ink. */
  cancel(): void {
    this.#gestures.cancel();
  }

  close(): void {
    window.clearInterval(this.#timer);
    for (const stop of this.#effects) stop();
    this.#gestures.close();
  }

  async #annotate(annotation: Annotation): Promise<void> {
    this.#unsettled.set(annotation.id, annotation);
    const taken = await this.live.command({ type: "annotate", annotation });
    this.#unsettled.delete(annotation.id);
    if (!taken) this.#gestures.refuse(annotation.id);
  }

  /** While the link is down, what was drawn stays to be seen. */
  #remind(): void {
    const { board } = this.picture.ink;
    for (const annotation of this.#unsettled.values()) {
      if (!board.placed.has(annotation.id)) this.picture.ink.finishDrawing(`${annotation.id}/unsettled`, annotation);
    }
  }

  #remember(): void {
    this.canUndo.value = this.#gestures.history.canUndo;
    this.canRedo.value = this.#gestures.history.canRedo;
  }

  /** Others' pointers and unfinished drawings, as they come. */
  #follow(): void {
    const { ink } = this.picture;
    const { pointers, drawings } = this.live;
    const people = new Set([...pointers.value.keys(), ...drawings.value.keys()]);
    for (const person of this.#shownPeople) if (!people.has(person)) ink.forget(person);
    for (const person of people) {
      const pointing = pointers.value.get(person);
      const name = this.live.nameOf(person);
      const mark = pointing && { at: [pointing.x, pointing.y] as Point, name, color: colorOf(this.live, person) };
      ink.setPointer(person, pointing?.surface ?? "", mark ?? null);
      ink.setDrawing(person, drawings.value.get(person) ?? null);
    }
    this.#shownPeople = people;
  }
}

function pointer(surface: string, [x, y]: Point, visible: boolean) {
  return { type: "pointer", surface, x, y, visible } as const;
}

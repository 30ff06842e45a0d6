import type { Point } from "../../../annotate/browser/shapes";
import { takesText } from "../app/keys";
import type { Drawing } from "./drawing";
import type { Picture } from "./picture";

/** Wheels turn in pixels; this many double the scale. */
const WHEEL_TO_DOUBLE = 300;
const LINE_PX = 16;

const middle = ([[ax, ay], [bx, by]]: readonly [Point, Point]): Point => [(ax + bx) / 2, (ay + by) / 2];
const apart = ([[ax, ay], [bx, by]]: readonly [Point, Point]): number => Math.hypot(ax - bx, ay - by);

/**
 * Moving the picture: space or the middle button and a drag, a drag with the pointer when zoomed, two fingers, the
 * wheel. It stands before the ink's own listeners, so that a hand that moves the picture does not draw.
 */
export class Moves {
  readonly #listening = new AbortController();
  readonly #fingers = new Map<number, Point>();
  #space = false;
  #dragged: { pointer: number; at: Point } | null = null;

  constructor(
    readonly frame: HTMLElement,
    readonly picture: Picture,
    readonly drawing: Drawing,
  ) {
    const { signal } = this.#listening;
    const before = { signal, capture: true };
    frame.addEventListener("pointerdown", (event) => this.#down(event), before);
    frame.addEventListener("pointermove", (event) => this.#move(event), before);
    for (const type of ["pointerup", "pointercancel"] as const) {
      frame.addEventListener(type, (event) => this.#up(event), before);
    }
    frame.addEventListener("wheel", (event) => this.#wheel(event), { signal, passive: false });
    window.addEventListener("keydown", (event) => this.#key(event, true), { signal });
    window.addEventListener("keyup", (event) => this.#key(event, false), { signal });
    window.addEventListener("blur", () => this.#setSpace(false), { signal });
  }

  close(): void {
    this.#listening.abort();
  }

  #point(event: MouseEvent): Point {
    const outer = this.frame.getBoundingClientRect();
    return [event.clientX - outer.x, event.clientY - outer.y];
  }

  #down(event: PointerEvent): void {
    if (takesText(event.target)) return;
    // Whoever turns to the picture means it with the keys as well: a press on the ink would leave them with the chat.
    const { activeElement } = document;
    if (activeElement instanceof HTMLElement && !this.frame.contains(activeElement)) activeElement.blur();
    if (event.pointerType === "touch") {
      this.#fingers.set(event.pointerId, this.#point(event));
      if (this.#fingers.size === 2) this.drawing.cancel();
    }
    const drags =
      event.button === 1 ||
      (event.button === 0 && (this.#space || (this.drawing.tool.value === "pointer" && this.picture.overflows)));
    if (this.#fingers.size > 1) event.stopPropagation();
    else if (drags) {
      event.stopPropagation();
      event.preventDefault();
      this.#dragged = { pointer: event.pointerId, at: this.#point(event) };
      this.frame.setPointerCapture(event.pointerId);
      this.frame.dataset.moving = "";
    }
  }

  #move(event: PointerEvent): void {
    const at = this.#point(event);
    if (this.#fingers.has(event.pointerId) && this.#fingers.size === 2) {
      const before = this.#pair();
      this.#fingers.set(event.pointerId, at);
      this.#pinch(before, this.#pair());
      event.stopPropagation();
      return;
    }
    if (this.#fingers.has(event.pointerId)) this.#fingers.set(event.pointerId, at);
    if (this.#dragged?.pointer !== event.pointerId) return;
    event.stopPropagation();
    this.picture.pan(at[0] - this.#dragged.at[0], at[1] - this.#dragged.at[1]);
    this.#dragged.at = at;
  }

  #up(event: PointerEvent): void {
    this.#fingers.delete(event.pointerId);
    if (this.#dragged?.pointer !== event.pointerId) return;
    event.stopPropagation();
    this.#dragged = null;
    delete this.frame.dataset.moving;
  }

  #pair(): readonly [Point, Point] {
    const [one = [0, 0], other = [0, 0]] = [...this.#fingers.values()];
    return [one, other] as const;
  }

  #pinch(before: readonly [Point, Point], after: readonly [Point, Point]): void {
    const from = middle(before);
    const to = middle(after);
    if (apart(before) > 0) this.picture.zoom(apart(after) / apart(before), to);
    this.picture.pan(to[0] - from[0], to[1] - from[1]);
  }

  #wheel(event: WheelEvent): void {
    if (takesText(event.target)) return;
    const unit = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? LINE_PX : 1;
    // Trackpads report a pinch as a turn of the wheel with ctrl held.
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      this.picture.zoom(2 ** ((-event.deltaY * unit) / WHEEL_TO_DOUBLE), this.#point(event));
    } else if (this.picture.overflows) {
      event.preventDefault();
      this.picture.pan(-event.deltaX * unit, -event.deltaY * unit);
    }
  }

  #key(event: KeyboardEvent, down: boolean): void {
    if (event.key !== " " || takesText(event.target) || event.target instanceof HTMLButtonElement) return;
    if (down) event.preventDefault();
    this.#setSpace(down);
  }

  #setSpace(down: boolean): void {
    this.#space = down;
    if (down) this.frame.dataset.space = "";
    else delete this.frame.dataset.space;
  }
}

/**
 * The ink layer: a canvas over the part of a frame in which a surface is shown. It draws the board, what others are
 * drawing at the moment, and their pointers; it draws again only when one of these, the layout or a fade changes.
 */
import { Board } from "./board.ts";
import { clampToSurface, isInside, mediaBox, type Rectangle, toFraction } from "./geometry.ts";
import { drawAnnotation, drawPointer, type PointerMark } from "./rendering.ts";
import { Settled } from "./settled.ts";
import type { Annotation, Point } from "./shapes.ts";

export type SurfaceElement = HTMLVideoElement | HTMLImageElement | HTMLCanvasElement;

export interface InkOptions {
  /** Milliseconds since 1970 on the server's clock, or the moment that a player shows. */
  readonly now?: () => number;
  /** Whether the layer watches the clock for fades; a player that draws on each frame says false. */
  readonly live?: boolean;
  /** Told after each drawing. */
  readonly onDraw?: () => void;
}

interface Unfinished {
  readonly annotation: Annotation;
  /** When it goes away by itself (ms of `performance.now`); null while its author still draws. */
  readonly expires: number | null;
}

/** How long a finished drawing is shown while its event is on the way. */
const COMMIT_PATIENCE_MS = 3_000;

/** Half a frame of a screen of 60 Hz. */
const HALF_FRAME_MS = 8;

/**
 * The canvas lies in `frame` (a positioned element with the surface's element inside, clipped to it) and covers it.
 * Set `element` when another one shows the surface; `surface` is what is drawn on, null for nothing.
 */
export class InkLayer {
  readonly canvas: HTMLCanvasElement;
  readonly #context: CanvasRenderingContext2D;
  readonly #settled: Settled;
  readonly #now: () => number;
  readonly #live: boolean;
  readonly #onDraw: (() => void) | undefined;
  readonly #drawings = new Map<string, Unfinished>();
  readonly #newest = new Map<string, string>();
  readonly #pointers = new Map<string, PointerMark & { surface: string }>();
  readonly #resizes: ResizeObserver;
  readonly #listening = new AbortController();
  #element: SurfaceElement;
  #board = Board.EMPTY;
  #surface: string | null = null;
  #visible = true;
  #frame = 0;
  #asked = false;
  #drawnAt = Number.NEGATIVE_INFINITY;
  #timer = 0;
  #window: Window | null = null;

  constructor(
    element: SurfaceElement,
    readonly frame: HTMLElement,
    options: InkOptions = {},
  ) {
    this.#now = options.now ?? Date.now;
    this.#live = options.live ?? true;
    this.#onDraw = options.onDraw;
    this.canvas = frame.ownerDocument.createElement("canvas");
    const context = this.canvas.getContext("2d");
    const behind = frame.ownerDocument.createElement("canvas").getContext("2d");
    if (context === null || behind === null) throw new Error("This browser offers no 2D canvas to draw on.");
    this.#context = context;
    this.#settled = new Settled(behind);
    this.canvas.setAttribute("aria-hidden", "true");
    this.canvas.dataset.ink = "";
    Object.assign(this.canvas.style, {
      position: "absolute",
      inset: "0",
      width: "100%",
      height: "100%",
      pointerEvents: "none",
    });
    frame.append(this.canvas);
    this.#resizes = new ResizeObserver(() => this.refresh());
    this.#resizes.observe(frame);
    this.#element = element;
    frame.ownerDocument.defaultView?.addEventListener("resize", () => this.refresh(), {
      signal: this.#listening.signal,
    });
    this.#watch(element);
  }

  /** The element that shows the surface; it must lie within `frame`. */
  get element(): SurfaceElement {
    return this.#element;
  }

  set element(element: SurfaceElement) {
    if (element === this.#element) return;
    this.#resizes.unobserve(this.#element);
    this.#element = element;
    this.#watch(element);
    this.refresh();
  }

  get board(): Board {
    return this.#board;
  }

  set board(board: Board) {
    this.#board = board;
    for (const id of this.#drawings.keys()) if (board.placed.has(id)) this.#drawings.delete(id);
    this.#soon();
  }

  get surface(): string | null {
    return this.#surface;
  }

  set surface(surface: string | null) {
    this.#surface = surface;
    this.refresh();
  }

  /** Whether ink and pointers are shown. */
  get visible(): boolean {
    return this.#visible;
  }

  set visible(visible: boolean) {
    this.#visible = visible;
    this.canvas.hidden = !visible;
    this.refresh();
  }

  /** This moment on the layer's clock, ms since 1970. */
  now(): number {
    return this.#now();
  }

  /** Where the surface lies, in CSS pixels from the window's corner; null as long as it has no picture. */
  box(): Rectangle | null {
    return mediaBox(this.#element);
  }

  /** The surface's point below a point of the window; null outside the picture, or `clamped` to its edge. */
  locate(clientX: number, clientY: number, clamped = false): Point | null {
    const box = this.box();
    const fraction = box === null ? null : toFraction(box, [clientX, clientY]);
    if (fraction === null) return null;
    if (clamped) return clampToSurface(fraction);
    return isInside(fraction) ? fraction : null;
  }

  /** Show what `sender` draws at the moment; null drops it. The board's annotation of the same id takes its place. */
  setDrawing(sender: string, annotation: Annotation | null): void {
    const previous = this.#newest.get(sender);
    if (annotation === null) {
      if (previous !== undefined) this.#drawings.delete(previous);
      this.#newest.delete(sender);
    } else {
      if (previous !== undefined && previous !== annotation.id) this.#expire(previous);
      this.#newest.set(sender, annotation.id);
      if (!this.#board.placed.has(annotation.id)) this.#drawings.set(annotation.id, { annotation, expires: null });
    }
    this.refresh();
  }

  /** Keep showing what `sender` finished until the board has it; it goes away when it was refused. */
  finishDrawing(sender: string, annotation: Annotation): void {
    this.setDrawing(sender, annotation);
    this.#expire(annotation.id);
    this.#newest.delete(sender);
  }

  /** Stop showing a finished drawing that will never come onto the board. */
  dropDrawing(id: string): void {
    this.#drawings.delete(id);
    this.refresh();
  }

  /** The number for the next step on `surface`: those on their way to the board count as well. */
  nextStep(surface: string): number {
    let next = this.#board.nextStep(surface, this.#now());
    for (const { annotation } of this.#drawings.values()) {
      if (annotation.surface === surface && annotation.shape.kind === "step") {
        next = Math.max(next, annotation.shape.number + 1);
      }
    }
    return Math.min(99, next);
  }

  /** Show where `sender` points on `surface`; null takes the pointer away. */
  setPointer(sender: string, surface: string, pointer: PointerMark | null): void {
    if (pointer === null) this.#pointers.delete(sender);
    else this.#pointers.set(sender, { ...pointer, surface });
    this.refresh();
  }

  /** Forget the pointer and the drawing of a participant who is gone. */
  forget(sender: string): void {
    this.#pointers.delete(sender);
    this.setDrawing(sender, null);
  }

  /**
   * Draw again: to be called after zooming, scrolling, or moving a player's clock. What comes alone is painted as soon
   * as the task that asks is done, as is what was committed; what comes in a rush waits for the frame.
   */
  refresh(): void {
    const view = this.canvas.ownerDocument.defaultView;
    if (view === null || this.#asked || (this.#frame !== 0 && this.#window === view)) return;
    if (performance.now() - this.#drawnAt >= HALF_FRAME_MS) {
      this.#soon();
      return;
    }
    this.#window = view;
    this.#frame = view.requestAnimationFrame(() => {
      this.#frame = 0;
      this.draw();
    });
  }

  /** Draw at once. */
  draw(): void {
    this.#cancel();
    this.#drawnAt = performance.now();
    const view = this.canvas.ownerDocument.defaultView;
    if (view === null) return;
    const outer = this.canvas.getBoundingClientRect();
    const ratio = view.devicePixelRatio;
    const width = Math.round(outer.width * ratio);
    const height = Math.round(outer.height * ratio);
    if (this.canvas.width !== width || this.canvas.height !== height) {
      this.canvas.width = width;
      this.canvas.height = height;
    }
    const context = this.#context;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, width, height);
    const box = this.box();
    if (this.#visible && this.#surface !== null && box !== null && width > 0 && height > 0) {
      context.setTransform(width / outer.width, 0, 0, height / outer.height, 0, 0);
      this.#paint({ ...box, x: box.x - outer.x, y: box.y - outer.y }, this.#surface);
    }
    this.#onDraw?.();
    if (this.#live) this.#wait(view);
  }

  /** Remove the canvas and every listener. */
  close(): void {
    this.#cancel();
    this.#resizes.disconnect();
    this.#listening.abort();
    this.canvas.remove();
  }

  #soon(): void {
    if (this.#asked) return;
    this.#asked = true;
    queueMicrotask(() => {
      if (this.#asked) this.draw();
    });
  }

  #paint(box: Rectangle, surface: string): void {
    const context = this.#context;
    context.save();
    context.beginPath();
    context.rect(box.x, box.y, box.width, box.height);
    context.clip();
    this.#settled.paint(context, box, [...this.#board.visible(surface, this.#now())]);
    for (const { annotation } of this.#drawings.values()) {
      if (annotation.surface === surface) drawAnnotation(context, annotation, box);
    }
    context.restore();
    for (const pointer of this.#pointers.values()) {
      if (pointer.surface === surface) drawPointer(context, pointer, box);
    }
  }

  /** Come back when something begins to fade, at once while it fades, and when an unfinished drawing expires. */
  #wait(view: Window): void {
    const moments: number[] = [];
    if (this.#surface !== null && this.#visible) {
      const fade = this.#board.nextFade(this.#surface, this.#now());
      if (fade !== null) moments.push(fade - this.#now());
    }
    for (const [id, { expires }] of this.#drawings) {
      if (expires === null) continue;
      if (expires <= performance.now()) this.#drawings.delete(id);
      moments.push(expires - performance.now());
    }
    if (moments.length === 0) return;
    const soonest = Math.min(...moments);
    if (soonest <= 0) this.refresh();
    else {
      this.#window = view;
      this.#timer = view.setTimeout(() => this.refresh(), soonest);
    }
  }

  #expire(id: string): void {
    const found = this.#drawings.get(id);
    if (found !== undefined) {
      this.#drawings.set(id, { ...found, expires: performance.now() + COMMIT_PATIENCE_MS });
    }
  }

  #watch(element: SurfaceElement): void {
    this.#resizes.observe(element);
    const options = { signal: this.#listening.signal };
    for (const type of ["resize", "loadedmetadata", "load"]) {
      element.addEventListener(type, () => this.refresh(), options);
    }
    this.refresh();
  }

  #cancel(): void {
    if (this.#frame !== 0) this.#window?.cancelAnimationFrame(this.#frame);
    if (this.#timer !== 0) this.#window?.clearTimeout(this.#timer);
    this.#frame = 0;
    this.#timer = 0;
    this.#asked = false;
  }
}

/**
 * From a hand to ink: the tools turn pointer events on an ink layer into pointers, drawings in progress and finished
 * annotations. There is no network here; whoever makes the gestures is told what to send.
 */
import { openEntry } from "./entry.ts";
import { History, type Reversal } from "./history.ts";
import type { InkLayer } from "./ink.ts";
import { LEAST_STEP, STEP_RADIUS } from "./marks.ts";
import type { Annotation, Point, Shape } from "./shapes.ts";
import { MOST_POINTS, smooth, snapped } from "./strokes.ts";

export type Tool = "pointer" | "pen" | "arrow" | "box" | "ellipse" | "highlight" | "text" | "step";
export const TOOLS: readonly Tool[] = ["pointer", "pen", "arrow", "box", "ellipse", "highlight", "text", "step"];

/** Line widths to choose from, as fractions of the surface's width. */
export const WIDTHS = { thin: 0.002, medium: 0.0035, thick: 0.006 } as const;

export interface GestureOptions {
  /** The participant who draws. */
  readonly author: string;
  readonly color: string;
  readonly onPointer: (surface: string, at: Point, visible: boolean) => void;
  /** A shape in progress, at most once a frame; null when it was dropped. */
  readonly onDrawing: (annotation: Annotation | null) => void;
  readonly onAnnotate: (annotation: Annotation) => void;
  readonly onReverse: (reversal: Reversal) => void;
  /** Told whenever undo or redo becomes possible or impossible. */
  readonly onHistory?: () => void;
  /** What the field for a text, and that for a step's text, is called, in the reader's language. */
  readonly labels: { readonly text: string; readonly step: string };
}

const LEAST_DRAG = 3;
/** Of a stroke with more samples than this every second one is forgotten: it is smoothed anew with each move. */
const MOST_SAMPLES = 3000;
const CURSORS: Record<Tool, string> = {
  pointer: "default",
  pen: "crosshair",
  arrow: "crosshair",
  box: "crosshair",
  ellipse: "crosshair",
  highlight: "crosshair",
  text: "text",
  step: "copy",
};

interface Stroke {
  readonly id: string;
  readonly pointer: number;
  readonly surface: string;
  samples: [number, number][];
  square: boolean;
}

export class Gestures {
  color: string;
  width: number = WIDTHS.medium;
  fade = false;
  history: History;
  /** What was last asked for, for each annotation: whether it shall be erased. */
  readonly #asked = new Map<string, boolean>();
  readonly #listening = new AbortController();
  #tool: Tool | null = null;
  #stroke: Stroke | null = null;
  #spot: { pointer: number; surface: string; at: Point } | null = null;
  #putDown: (() => void) | null = null;
  #frame = 0;
  #due: (() => void) | null = null;
  #pointed: string | null = null;

  constructor(
    readonly layer: InkLayer,
    readonly options: GestureOptions,
  ) {
    this.color = options.color;
    this.history = History.of(layer.board, options.author);
    const { canvas } = layer;
    const listening = { signal: this.#listening.signal };
    canvas.addEventListener("pointerdown", (event) => this.#down(event), listening);
    canvas.addEventListener("pointermove", (event) => this.#move(event), listening);
    canvas.addEventListener("pointerup", (event) => this.#up(event), listening);
    canvas.addEventListener("pointercancel", (event) => this.#drop(event.pointerId), listening);
    canvas.addEventListener("pointerleave", () => this.#unpoint(), listening);
  }

  /** The tool in hand; null lets pointer events through to what lies below, as for panning. */
  get tool(): Tool | null {
    return this.#tool;
  }

  set tool(tool: Tool | null) {
    this.#putDown?.();
    this.cancel();
    this.#unpoint();
    this.#tool = tool;
    const { style, dataset } = this.layer.canvas;
    style.pointerEvents = tool === null ? "none" : "auto";
    style.touchAction = tool === null ? "auto" : "none";
    style.cursor = tool === null ? "" : CURSORS[tool];
    dataset.tool = tool ?? "";
  }

  /** Drop what is being drawn; answers whether there was anything. */
  cancel(): boolean {
    return this.#stroke !== null && this.#drop(this.#stroke.pointer);
  }

  undo(): void {
    this.#reverse(() => this.history.undo());
  }

  redo(): void {
    this.#reverse(() => this.history.redo());
  }

  /** Erase everything on the shown surface, or only what `author` drew there. */
  clear(author: string | null = null): void {
    const { layer } = this;
    if (layer.surface === null) return;
    const ids = [...layer.board.visible(layer.surface, layer.now())]
      .filter(([placed]) => author === null || placed.author === author)
      .map(([placed]) => placed.annotation.id);
    for (let start = 0; start < ids.length; start += 1000) {
      const batch = ids.slice(start, start + 1000);
      this.history.erased(batch);
      this.#ask({ kind: "erase", ids: batch });
    }
    this.options.onHistory?.();
  }

  clearMine(): void {
    this.clear(this.options.author);
  }

  /** The server refused this annotation: it is no longer shown or undone. */
  refuse(id: string): void {
    this.history.refused(id);
    this.layer.dropDrawing(id);
    this.options.onHistory?.();
  }

  close(): void {
    this.tool = null;
    this.#listening.abort();
  }

  #down(event: PointerEvent): void {
    const { layer } = this;
    const tool = this.#tool;
    if (tool === null || event.button !== 0 || !event.isPrimary || layer.surface === null) return;
    // A click beside an open field puts its text down and does nothing else.
    if (this.#putDown !== null) {
      this.#putDown();
      if (tool === "text") return;
    }
    const at = layer.locate(event.clientX, event.clientY);
    if (at === null) return;
    event.preventDefault();
    layer.canvas.setPointerCapture(event.pointerId);
    if (tool === "pointer") this.#point(layer.surface, at);
    if (tool === "text" || tool === "step") this.#spot = { pointer: event.pointerId, surface: layer.surface, at };
    if (tool === "pointer" || tool === "text" || tool === "step") return;
    this.#stroke = {
      id: newId(),
      pointer: event.pointerId,
      surface: layer.surface,
      samples: [[event.clientX, event.clientY]],
      square: event.shiftKey,
    };
    this.#preview();
  }

  #move(event: PointerEvent): void {
    const { layer } = this;
    if (this.#tool === "pointer" && layer.surface !== null && event.isPrimary) {
      const at = layer.locate(event.clientX, event.clientY);
      if (at === null) this.#unpoint();
      else this.#point(layer.surface, at);
    }
    const stroke = this.#stroke;
    if (stroke === null || event.pointerId !== stroke.pointer) return;
    const coalesced = event.getCoalescedEvents?.() ?? [];
    for (const { clientX, clientY } of coalesced.length > 0 ? coalesced : [event]) {
      stroke.samples.push([clientX, clientY]);
    }
    if (stroke.samples.length > MOST_SAMPLES) stroke.samples = stroke.samples.filter((_, i) => i % 2 === 0);
    stroke.square = event.shiftKey;
    this.#preview();
  }

  #up(event: PointerEvent): void {
    const spot = this.#spot;
    this.#spot = null;
    // Only now: the press itself would take the focus away from the field again.
    if (spot?.pointer === event.pointerId && this.#tool === "text") this.#write(spot.surface, spot.at);
    if (spot?.pointer === event.pointerId && this.#tool === "step") this.#step(spot.surface, spot.at);
    const stroke = this.#stroke;
    if (stroke === null || event.pointerId !== stroke.pointer) return;
    stroke.samples.push([event.clientX, event.clientY]);
    stroke.square = event.shiftKey;
    const shape = this.#shape(stroke);
    if (shape === null) {
      this.#drop(stroke.pointer);
      return;
    }
    this.#stroke = null;
    this.#finish(this.#annotation(stroke.id, stroke.surface, shape));
  }

  #drop(pointer: number): boolean {
    if (this.#stroke?.pointer !== pointer) return false;
    this.#stroke = null;
    this.#abandon();
    return true;
  }

  #abandon(): void {
    this.#due = null;
    this.layer.setDrawing(this.options.author, null);
    this.options.onDrawing(null);
  }

  #shape({ samples, square }: Stroke): Shape | null {
    const box = this.layer.box();
    const [first] = samples;
    const last = samples.at(-1);
    if (box === null || first === undefined || last === undefined) return null;
    const at = ([x, y]: readonly [number, number]): Point => rounded(this.layer.locate(x, y, true) ?? [0, 0]);
    const tool = this.#tool;
    if (tool === "pen" || tool === "highlight") {
      const points = smooth(samples, this.width * box.width)
        .map(at)
        .slice(0, MOST_POINTS);
      return { kind: tool === "pen" ? "stroke" : "highlight", points };
    }
    if (tool !== "arrow" && tool !== "box" && tool !== "ellipse") return null;
    if (Math.hypot(last[0] - first[0], last[1] - first[1]) < LEAST_DRAG) return null;
    const end = square ? snapped(first, last, tool === "arrow") : last;
    return { kind: tool, start: at(first), end: at(end) };
  }

  #preview(): void {
    const stroke = this.#stroke;
    const shape = stroke === null ? null : this.#shape(stroke);
    if (stroke !== null && shape !== null) this.#show(this.#annotation(stroke.id, stroke.surface, shape));
  }

  #write(surface: string, at: Point): void {
    const box = this.layer.box();
    if (box === null) return;
    const size = round(Math.min(0.2, Math.max(0.014, this.width * 6.5)));
    const id = newId();
    const shape = (text: string): Shape => ({ kind: "text", at: rounded(at), text, size });
    this.#enter({
      left: box.x + at[0] * box.width,
      top: box.y + at[1] * box.height,
      line: Math.max(12, size * box.width),
      label: this.options.labels.text,
      longest: 500,
      multiline: true,
      onInput: (text) => this.options.onDrawing(text === "" ? null : this.#annotation(id, surface, shape(text))),
      onDone: (text) => {
        if (text === null || text === "") this.#abandon();
        else this.#finish(this.#annotation(id, surface, shape(text)));
      },
    });
  }

  #step(surface: string, at: Point): void {
    const { layer } = this;
    const box = layer.box();
    if (box === null) return;
    const id = newId();
    const number = layer.nextStep(surface);
    const shape = (text: string): Shape => ({ kind: "step", at: rounded(at), number, text });
    const radius = Math.max(STEP_RADIUS * this.width, LEAST_STEP) * box.width;
    this.#show(this.#annotation(id, surface, shape("")));
    this.#enter({
      left: box.x + at[0] * box.width + radius * 1.4,
      top: box.y + at[1] * box.height - Math.max(14, radius) / 1.4,
      line: Math.max(14, radius * 1.4),
      label: this.options.labels.step,
      longest: 200,
      multiline: false,
      onInput: (text) => this.options.onDrawing(this.#annotation(id, surface, shape(text))),
      onDone: (text) => {
        if (text !== null) this.#finish(this.#annotation(id, surface, shape(text)));
        else this.#abandon();
      },
    });
  }

  #enter(options: Omit<Parameters<typeof openEntry>[1], "color">): void {
    this.#putDown = openEntry(this.layer.frame, {
      ...options,
      color: this.color,
      onDone: (text) => {
        this.#putDown = null;
        options.onDone(text);
      },
    });
  }

  #finish(annotation: Annotation): void {
    this.#due = null;
    this.history.added(annotation.id);
    this.layer.finishDrawing(this.options.author, annotation);
    this.options.onAnnotate(annotation);
    this.options.onHistory?.();
  }

  #annotation(id: string, surface: string, shape: Shape): Annotation {
    return { id, surface, color: this.color, width: this.width, fade: this.fade, shape };
  }

  #show(annotation: Annotation): void {
    this.layer.setDrawing(this.options.author, annotation);
    this.#later(() => this.options.onDrawing(annotation));
  }

  #point(surface: string, at: Point): void {
    this.#pointed = surface;
    this.#later(() => this.options.onPointer(surface, rounded(at), true));
  }

  #unpoint(): void {
    if (this.#pointed === null) return;
    this.#due = null;
    this.options.onPointer(this.#pointed, [0, 0], false);
    this.#pointed = null;
  }

  /** Tells at once, but at most once a frame; of what comes in between only the newest. */
  #later(tell: () => void): void {
    if (this.#frame !== 0) {
      this.#due = tell;
      return;
    }
    tell();
    const view = this.layer.canvas.ownerDocument.defaultView ?? window;
    this.#frame = view.requestAnimationFrame(() => {
      this.#frame = 0;
      const due = this.#due;
      this.#due = null;
      if (due !== null) this.#later(due);
    });
  }

  /** Takes the next step that changes anything: others may have erased or restored the same meanwhile. */
  #reverse(step: () => Reversal | null): void {
    let reversal = step();
    while (reversal !== null && this.#isIdle(reversal)) reversal = step();
    if (reversal !== null) this.#ask(reversal);
    this.options.onHistory?.();
  }

  #ask(reversal: Reversal): void {
    for (const id of reversal.ids) this.#asked.set(id, reversal.kind === "erase");
    this.options.onReverse(reversal);
  }

  /** Whether all is so already, and nothing that was asked for is still on its way. */
  #isIdle({ kind, ids }: Reversal): boolean {
    return ids.every((id) => {
      const erased = this.layer.board.placed.get(id)?.erased;
      return erased === (kind === "erase") && erased === (this.#asked.get(id) ?? erased);
    });
  }
}

/** 96 random bits, in the alphabet of identifiers. */
function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_");
}

/** A hundred-thousandth of the surface: far below a pixel, and short on the wire. */
function round(value: number): number {
  return Math.round(value * 100_000) / 100_000;
}

function rounded([x, y]: Point): Point {
  return [round(x), round(y)];
}

/** What the browser tests work with: the ink's own modules, and small stages to draw on. */
import { Board, type BoardEvent } from "../../annotate/browser/board.ts";
import { Gestures, type Tool } from "../../annotate/browser/gestures.ts";
import { InkLayer, type SurfaceElement } from "../../annotate/browser/ink.ts";
import { drawAnnotation } from "../../annotate/browser/rendering.ts";
import type { Annotation, BoardChange, Point } from "../../annotate/browser/shapes.ts";

export { createIcon, ICONS } from "../../annotate/browser/icons.ts";
export { drawAnnotation };

/** A golden board at one moment on a canvas of its own: straight RGBA, row by row. */
export function renderGolden(events: BoardEvent[], surface: string, now: number, width: number, height: number) {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (context === null) throw new Error("no canvas");
  const box = { x: 0, y: 0, width, height };
  for (const [{ annotation }, opacity] of Board.fold(events, now).visible(surface, now)) {
    drawAnnotation(context, annotation, box, opacity);
  }
  const { data } = context.getImageData(0, 0, width, height);
  let bytes = "";
  for (let start = 0; start < data.length; start += 8192) {
    bytes += String.fromCharCode(...data.subarray(start, start + 8192));
  }
  return btoa(bytes);
}

export interface StageLook {
  /** Style of the frame and of the picture in it. */
  readonly frame: string;
  readonly picture: string;
  /** The picture's own size. */
  readonly size: [number, number];
}

/** One person's view: a frame, a picture in it, the ink over it, and that person's hand. */
export class Stage {
  readonly frame = document.createElement("div");
  readonly layer: InkLayer;
  readonly gestures: Gestures;
  readonly sent: { type: string; [key: string]: unknown }[] = [];
  board = Board.EMPTY;
  now = 1_000_000;
  drawn = 0;
  picture: HTMLCanvasElement;

  constructor(
    readonly name: string,
    look: StageLook,
    readonly color: string,
  ) {
    this.frame.style.cssText = `position:relative;overflow:hidden;background:#fff;${look.frame}`;
    this.picture = this.#makePicture(look);
    this.frame.append(this.picture);
    document.body.append(this.frame);
    this.layer = new InkLayer(this.picture as SurfaceElement, this.frame, {
      now: () => this.now,
      onDraw: () => {
        this.drawn++;
      },
    });
    this.layer.surface = "screen";
    this.gestures = new Gestures(this.layer, {
      author: name,
      color,
      onPointer: (surface, at, visible) => this.sent.push({ type: "pointer", surface, at, visible }),
      onDrawing: (annotation) => this.sent.push({ type: "drawing", annotation }),
      onAnnotate: (annotation) => this.sent.push({ type: "annotate", annotation }),
      onReverse: ({ kind, ids }) => this.sent.push({ type: kind, ids }),
      labels: { text: "Text", step: "What to do here" },
    });
    this.gestures.width = 0.015;
  }

  take(tool: Tool | null): void {
    this.gestures.tool = tool;
  }

  change(body: BoardChange, author = this.name): void {
    this.board = this.board.apply(body, author, this.now);
    this.layer.board = this.board;
  }

  add(annotation: Annotation, author = this.name): void {
    this.change({ type: "annotation_added", annotation }, author);
  }

  annotated(): Annotation[] {
    return this.sent.filter(({ type }) => type === "annotate").map(({ annotation }) => annotation as Annotation);
  }

  /** Straight RGBA of the ink at a point of the window. */
  inkAt([x, y]: Point): number[] {
    this.layer.draw();
    const { canvas } = this.layer;
    const outer = canvas.getBoundingClientRect();
    const context = canvas.getContext("2d");
    if (context === null) throw new Error("no canvas");
    const column = Math.floor(((x - outer.x) * canvas.width) / outer.width);
    const row = Math.floor(((y - outer.y) * canvas.height) / outer.height);
    return [...context.getImageData(column, row, 1, 1).data];
  }

  /** How far from `from` towards `to` (points of the window) the ink between them has its middle, in CSS pixels. */
  inkMiddle(from: Point, to: Point): number {
    const length = Math.hypot(to[0] - from[0], to[1] - from[1]);
    const steps = Math.round(length * 2);
    let weight = 0;
    let moment = 0;
    for (let i = 0; i <= steps; i++) {
      const part = i / steps;
      const at: Point = [from[0] + (to[0] - from[0]) * part, from[1] + (to[1] - from[1]) * part];
      const alpha = this.inkAt(at)[3] ?? 0;
      weight += alpha;
      moment += alpha * part * length;
    }
    return moment / weight;
  }

  #makePicture({ picture, size }: StageLook): HTMLCanvasElement {
    const made = document.createElement("canvas");
    made.style.cssText = picture;
    [made.width, made.height] = size;
    const context = made.getContext("2d");
    if (context === null) throw new Error("no canvas");
    context.fillStyle = "#101020";
    context.fillRect(0, 0, ...size);
    return made;
  }
}

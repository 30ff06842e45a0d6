/**
 * What lies still on the board, kept as a picture: while somebody draws, that picture is copied and only the sketch is
 * painted. What comes on top of the board is painted onto it; anything else that changes paints it anew.
 */
import type { Placed } from "./board.ts";
import type { Rectangle } from "./geometry.ts";
import { drawAnnotation } from "./rendering.ts";

type Visible = readonly [Placed, number];

export class Settled {
  readonly #context: CanvasRenderingContext2D;
  #painted: readonly Visible[] = [];
  #layout = "";

  constructor(context: CanvasRenderingContext2D) {
    this.#context = context;
  }

  /** Paint `visible` (lowest first, each with its opacity) onto `target`, whose transform and clip are those of `box`. */
  paint(target: CanvasRenderingContext2D, box: Rectangle, visible: readonly Visible[]): void {
    if (visible.length + this.#painted.length === 0) return;
    const context = this.#context;
    const { canvas } = context;
    const { width, height } = target.canvas;
    const transform = target.getTransform();
    const layout = `${transform} ${width} ${height} ${box.x} ${box.y} ${box.width} ${box.height}`;
    if (layout !== this.#layout || !isBeginning(this.#painted, visible)) {
      // Setting a size clears the canvas as well.
      canvas.width = width;
      canvas.height = height;
      this.#painted = [];
      this.#layout = layout;
    }
    context.setTransform(transform);
    for (const [{ annotation }, opacity] of visible.slice(this.#painted.length)) {
      drawAnnotation(context, annotation, box, opacity);
    }
    this.#painted = visible;
    if (visible.length === 0) return;
    target.save();
    target.resetTransform();
    target.drawImage(canvas, 0, 0);
    target.restore();
  }
}

function isBeginning(painted: readonly Visible[], visible: readonly Visible[]): boolean {
  return painted.every(([placed, opacity], index) => {
    const now = visible[index];
    return now !== undefined && now[0] === placed && now[1] === opacity;
  });
}

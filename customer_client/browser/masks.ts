// The parts of what is shared that nobody is to see: where they lie, and the paint over them.

/** A covered part, its edges as fractions 0..1 of the shared surface. */
export interface Mask {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

type Point = readonly [number, number];

/** The sides of the smallest mask: what is smaller was a click. */
export const SMALLEST = 0.01;
/** What lies on a mask in the picture: nothing of what is beneath. */
const PAINT = "#000";

const within = (value: number, least = 0, most = 1) => Math.min(most, Math.max(least, value));

/** The mask between two points, of which either may lie outside the surface; null when it is too small to be meant. */
export function between([x, y]: Point, [otherX, otherY]: Point): Mask | null {
  const mask = {
    left: within(Math.min(x, otherX)),
    top: within(Math.min(y, otherY)),
    right: within(Math.max(x, otherX)),
    bottom: within(Math.max(y, otherY)),
  };
  return mask.right - mask.left < SMALLEST || mask.bottom - mask.top < SMALLEST ? null : mask;
}

/** The same mask elsewhere; it stays within the surface. */
export function moved(mask: Mask, byX: number, byY: number): Mask {
  const x = within(byX, -mask.left, 1 - mask.right);
  const y = within(byY, -mask.top, 1 - mask.bottom);
  return { left: mask.left + x, top: mask.top + y, right: mask.right + x, bottom: mask.bottom + y };
}

/** The same mask with its lower right corner elsewhere. */
export function resized(mask: Mask, byX: number, byY: number): Mask {
  return {
    ...mask,
    right: within(mask.right + byX, Math.min(1, mask.left + SMALLEST)),
    bottom: within(mask.bottom + byY, Math.min(1, mask.top + SMALLEST)),
  };
}

/**
 * Paints over the masks of a picture of this size. Their edges go outwards to even pixels, since video keeps one color
 * for each two by two of them: else a color from below could be seen beside the edge.
 */
export function paint(
  context: Pick<OffscreenCanvasRenderingContext2D, "fillStyle" | "fillRect">,
  width: number,
  height: number,
  masks: readonly Mask[],
): void {
  context.fillStyle = PAINT;
  for (const { left, top, right, bottom } of masks) {
    const x = Math.floor((left * width) / 2) * 2;
    const y = Math.floor((top * height) / 2) * 2;
    context.fillRect(x, y, Math.ceil((right * width) / 2) * 2 - x, Math.ceil((bottom * height) / 2) * 2 - y);
  }
}

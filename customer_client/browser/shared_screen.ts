// The surface that the customer shares: captured once, shown in the mirror, and covered where nobody is to see it.

import { Emitter } from "../../signaling/browser/emitter";
import type { Surface, SurfaceKind } from "../../signaling/browser/messages";
import { describe, reflect, stillPicture } from "./capture";
import { type Painted, paintOver } from "./covering";
import { type Mask, paint } from "./masks";

const MEASURE_EVERY_MS = 1_000;

/** The surface with the size and kind that it has now; `first` when nothing was known of it. */
export interface Measured {
  surface: Surface;
  first: boolean;
}

export interface SharedScreenEvents {
  /** Another track leaves from now on. */
  track: MediaStreamTrack;
  measured: Measured;
  /** The browser or the system ended the capture. */
  ended: undefined;
}

export class SharedScreen extends Emitter<SharedScreenEvents> {
  /** Shows what leaves to the customer, and lends its frames. */
  readonly mirror = document.createElement("video");
  masks: readonly Mask[] = [];
  /** As it was measured last; null while nothing is captured, or its size is not known yet. */
  surface: Surface | null = null;
  id = "";
  readonly #label: (kind: SurfaceKind) => string;
  #captured: MediaStreamTrack | null = null;
  #painted: Painted | null = null;
  #watch: ReturnType<typeof setInterval> | undefined;

  constructor(label: (kind: SurfaceKind) => string) {
    super();
    this.#label = label;
    this.mirror.muted = this.mirror.autoplay = this.mirror.playsInline = true;
    this.mirror.addEventListener("resize", () => this.#measure());
  }

  /** What may be sent: in it the masks are painted over. Null while nothing is captured. */
  get track(): MediaStreamTrack | null {
    return this.#painted?.track ?? this.#captured;
  }

  begin(captured: MediaStreamTrack, id: string): void {
    this.end();
    this.#captured = captured;
    this.id = id;
    captured.addEventListener("ended", () => captured === this.#captured && this.emit("ended", undefined));
    this.#watch = setInterval(() => this.#measure(), MEASURE_EVERY_MS);
    this.#measure();
    reflect(captured, this.mirror);
  }

  /** Covers these parts and no others, in the very next frame that leaves. */
  cover(masks: readonly Mask[]): void {
    if (!this.#captured || (!this.#painted && masks.length === 0)) return;
    this.masks = masks;
    // What was painted over once stays so, even without a mask: changing back would show a black frame between.
    if (this.#painted) {
      this.#painted.cover(masks);
      return;
    }
    this.#painted = paintOver(this.#captured, masks);
    reflect(this.#painted.reflected, this.mirror);
    this.emit("track", this.#painted.track);
  }

  /** One picture in full resolution. */
  still(): Promise<Blob> {
    if (!this.#captured) throw new DOMException("Nothing is captured.", "InvalidStateError");
    // The masks of the moment in which the frame is there: no frame is so old that it could show what they cover.
    return stillPicture(this.#captured, this.mirror, (context, width, height) => {
      paint(context, width, height, this.masks);
    });
  }

  /** Nothing is captured any more, and nothing covered. */
  end(): void {
    clearInterval(this.#watch);
    this.#painted?.close();
    this.#captured?.stop();
    this.#painted = this.#captured = this.surface = null;
    this.masks = [];
    reflect(null, this.mirror);
  }

  #measure(): void {
    const measured = this.#captured && describe(this.#captured, this.id, this.#label);
    if (!measured) return;
    const { videoWidth, videoHeight } = this.mirror;
    const surface = videoWidth ? { ...measured, width: videoWidth, height: videoHeight } : measured;
    const before = this.surface;
    this.surface = surface;
    const same = (["width", "height", "kind"] as const).every((each) => before?.[each] === surface[each]);
    if (!same) this.emit("measured", { surface, first: before === null });
  }
}

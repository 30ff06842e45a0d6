import { effect, signal } from "@preact/signals";
import {
  FIT,
  oneToOne,
  pan,
  place,
  type Size,
  scaleOf,
  type View,
  zoomAround,
} from "../../../annotate/browser/geometry";
import { InkLayer } from "../../../annotate/browser/ink";
import type { Point } from "../../../annotate/browser/shapes";
import { firstFrame, inStep } from "./frames";
import type { LiveSession } from "./live_session";

export const ZOOM_STEP = 1.25;

type Shown = HTMLVideoElement | HTMLCanvasElement | HTMLImageElement;

function sizeOf(element: Shown): Size | null {
  const [width, height] =
    element instanceof HTMLVideoElement
      ? [element.videoWidth, element.videoHeight]
      : element instanceof HTMLCanvasElement
        ? [element.width, element.height]
        : [element.naturalWidth, element.naturalHeight];
  return width > 0 && height > 0 ? { width, height } : null;
}

/** Whether nothing can come any more of what was to be shown. */
function isOver(video: HTMLVideoElement): boolean {
  return !(video.srcObject instanceof MediaStream && video.srcObject.active);
}

/**
 * The customer's picture, live or still, with the ink on it, in an element of whatever size. The picture's element is
 * laid out exactly where the picture is to be seen, so that there is no letterbox to reckon with.
 *
 * When the picture begins to come another way, another element takes it up behind the present one, and takes its place
 * once it shows one frame after the other. While it comes as live snapshots, a canvas shows them in the place of both.
 */
export class Picture {
  readonly view = signal<View>(FIT);
  /** The scale at which the picture is seen, in CSS pixels for each of its own; null before there is one. */
  readonly scale = signal<number | null>(null);
  /** The picture stands still at the agent's wish, before all were shown it. */
  readonly held = signal(false);
  video: HTMLVideoElement;
  readonly ink: InkLayer;
  readonly #image = document.createElement("img");
  /** A copy of the live snapshots, so that it can stand still. */
  readonly #canvas = document.createElement("canvas");
  readonly #resizes: ResizeObserver;
  readonly #effects: (() => void)[];
  readonly #successors = new Set<HTMLVideoElement>();
  /** Shows a frame, and waits only for the agent to let go of the picture that stands still. */
  #ready: HTMLVideoElement | null = null;

  constructor(
    readonly frame: HTMLElement,
    readonly live: LiveSession,
  ) {
    this.video = this.#createVideo();
    for (const element of [this.video, this.#canvas, this.#image]) {
      element.className = "picture";
      element.draggable = false;
      frame.append(element);
    }
    this.#image.alt = "";
    this.#image.hidden = this.#canvas.hidden = true;
    this.ink = new InkLayer(this.video, frame, { now: () => live.now() });
    this.#resizes = new ResizeObserver(() => this.#lay());
    this.#resizes.observe(frame);
    this.#image.addEventListener("load", () => this.#turn());
    this.#effects = [
      effect(() => this.#receive(live.track.value)),
      effect(() => this.#copy(live.tiles.value, live.tileFrames.value)),
      effect(() => this.#show(live.shown.value?.id ?? null, live.session.value.surface?.id ?? null)),
      effect(() => {
        this.ink.board = live.board.value;
      }),
      effect(() => {
        void this.view.value;
        this.#lay();
      }),
    ];
  }

  /** Scales by `factor` around a point of the frame, or around its middle. */
  zoom(factor: number, around?: Point): void {
    const size = this.#size();
    if (size === null) return;
    const frame = this.#frameSize();
    const point = around ?? [frame.width / 2, frame.height / 2];
    this.view.value = zoomAround(this.view.value, frame, size, point, factor);
  }

  pan(dx: number, dy: number): void {
    const size = this.#size();
    if (size !== null) this.view.value = pan(this.view.value, this.#frameSize(), size, dx, dy);
  }

  fit(): void {
    this.view.value = FIT;
  }

  oneToOne(): void {
    this.view.value = oneToOne(this.view.value, window.devicePixelRatio);
  }

  /** Whether a part of the picture lies outside the frame, so that there is something to drag. */
  get overflows(): boolean {
    return this.view.value.scale !== "fit";
  }

  /** Lets the live picture stand still. */
  hold(): void {
    this.video.pause();
    this.held.value = true;
  }

  /** Lets the live picture go on. */
  release(): void {
    this.held.value = false;
    if (this.#ready !== null) this.#succeed(this.#ready);
    this.#copy(this.live.tiles.peek());
    // Refused only where there is nothing to play; then the next track plays by itself.
    void this.video.play().catch(() => undefined);
  }

  /** The live picture as it stands, in its own resolution; null when there is none. */
  async capture(): Promise<Blob | null> {
    const moving = this.#moving;
    const size = sizeOf(moving);
    if (size === null) return null;
    const canvas = document.createElement("canvas");
    Object.assign(canvas, size);
    canvas.getContext("2d")?.drawImage(moving, 0, 0);
    return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  }

  close(): void {
    for (const stop of this.#effects) stop();
    this.#resizes.disconnect();
    this.ink.close();
    this.#dismiss(this.video, ...this.#successors);
    this.frame.replaceChildren();
  }

  #createVideo(): HTMLVideoElement {
    const video = document.createElement("video");
    video.autoplay = true;
    video.muted = true;
    video.playsInline = true;
    video.disablePictureInPicture = true;
    for (const type of ["loadedmetadata", "resize"]) video.addEventListener(type, () => this.#lay());
    return video;
  }

  #receive(track: MediaStreamTrack | null): void {
    if (track === null) {
      this.#dismiss(...this.#successors);
      this.video.srcObject = null;
      this.held.value = false;
      return;
    }
    const present = this.video.srcObject === null ? null : this.video;
    const video = present === null ? this.video : this.#stage();
    video.srcObject = new MediaStream([track]);
    void firstFrame(video)
      .then(() => (present === null ? undefined : inStep(video, present)))
      .then(() => this.#present(video, track));
  }

  /** An element for the next picture, behind that of the present one. */
  #stage(): HTMLVideoElement {
    const video = this.#createVideo();
    video.className = "successor";
    video.draggable = false;
    video.hidden = this.video.hidden;
    this.video.before(video);
    this.#successors.add(video);
    this.#lay();
    return video;
  }

  #present(video: HTMLVideoElement, track: MediaStreamTrack): void {
    if (video !== this.video) {
      // The end of a track shows as a frame, a black one.
      if (!this.#successors.has(video) || isOver(video)) return;
      // What stands still at the agent's wish stands until the agent lets go of it.
      if (this.held.peek()) this.#ready = video;
      else this.#succeed(video);
    }
    this.live.shows(track);
  }

  #succeed(video: HTMLVideoElement): void {
    const before = this.video;
    this.#ready = null;
    this.#successors.delete(video);
    this.video = video;
    this.video.className = "picture";
    this.video.hidden = before.hidden;
    this.#dismiss(before, ...[...this.#successors].filter(isOver));
    if (this.ink.element === before) this.ink.element = this.video;
    this.#lay();
  }

  #dismiss(...videos: HTMLVideoElement[]): void {
    for (const video of videos) {
      if (this.#ready === video) this.#ready = null;
      this.#successors.delete(video);
      video.srcObject = null;
      if (video !== this.video) video.remove();
    }
  }

  #show(shown: string | null, live: string | null): void {
    const still = shown !== null && shown !== live;
    if (still) {
      this.#image.dataset.surface = shown;
      this.#image.src = this.live.snapshotUrl(shown);
      return;
    }
    delete this.#image.dataset.surface;
    this.#image.hidden = true;
    this.#image.removeAttribute("src");
    this.#reveal();
    this.ink.surface = live;
    if (this.held.peek()) this.release();
    this.#lay();
  }

  /** The still picture has come: it takes the place of the live one. */
  #turn(): void {
    const surface = this.#image.dataset.surface;
    if (surface === undefined) return;
    this.#image.hidden = false;
    this.video.hidden = this.#canvas.hidden = true;
    this.ink.element = this.#image;
    this.ink.surface = surface;
    this.#lay();
  }

  /** Draws what came as live snapshots, or goes back to the video when they are over. */
  #copy(tiles: HTMLCanvasElement | null, _frame = 0): void {
    if (this.held.peek()) return;
    const { width, height } = tiles ?? { width: 0, height: 0 };
    const same = this.#canvas.width === width && this.#canvas.height === height;
    if (!same) Object.assign(this.#canvas, { width, height });
    if (tiles) this.#canvas.getContext("2d", { alpha: false })?.drawImage(tiles, 0, 0);
    if (!same && this.#image.hidden) this.#reveal();
  }

  /** What shows the live picture at this moment. */
  get #moving(): HTMLVideoElement | HTMLCanvasElement {
    return this.#canvas.width > 0 ? this.#canvas : this.video;
  }

  /** Lets the live picture be seen. */
  #reveal(): void {
    const moving = this.#moving;
    this.video.hidden = moving !== this.video;
    this.#canvas.hidden = moving !== this.#canvas;
    this.ink.element = moving;
    this.#lay();
  }

  #size(): Size | null {
    return sizeOf(this.#image.hidden ? this.#moving : this.#image);
  }

  #frameSize(): Size {
    return { width: this.frame.clientWidth, height: this.frame.clientHeight };
  }

  #lay(): void {
    const size = this.#size();
    const frame = this.#frameSize();
    if (size === null || frame.width === 0 || frame.height === 0) {
      this.scale.value = null;
      return;
    }
    const box = place(this.view.peek(), frame, size);
    for (const { style } of [this.video, this.#canvas, this.#image, ...this.#successors]) {
      style.left = `${box.x}px`;
      style.top = `${box.y}px`;
      style.width = `${box.width}px`;
      style.height = `${box.height}px`;
    }
    this.scale.value = scaleOf(this.view.peek(), frame, size);
    this.ink.refresh();
  }
}

/** Plays a film: one `<video>` that is given the segments one after another, and a clock that runs through the gaps. */

import { type Signal, signal } from "@preact/signals";
import {
  clampTo,
  type Film,
  mediaTime,
  momentOf,
  type Segment,
  type Stretch,
  stretchAfter,
  stretchAt,
  voicesAt,
} from "./film";

export const RATES = [0.5, 1, 1.5, 2, 4] as const;
/** A frame at the rate that is asked of the sharing browser. */
export const FRAME_MS = 1000 / 30;
/** How long a gap is shown before the playback goes on behind it. */
const GAP_SHOWN_MS = 1500;

export class Playback {
  /** The moment that is seen, ms since 1970. */
  readonly now: Signal<number>;
  readonly playing = signal(false);
  readonly rate = signal<number>(1);
  readonly stretch: Signal<Stretch>;
  /** The picture waits for data, and so does everything that goes in step with it. */
  readonly stalled = signal(false);
  /** The file cannot be played: what the browser says about it. */
  readonly failed = signal<string | null>(null);

  private video: HTMLVideoElement | null = null;
  private loaded: Segment | null = null;
  /** Where the video is being moved to, seconds; its own time is not to be believed until it arrives. */
  private target: number | null = null;
  private frame = 0;
  private last = 0;
  private gapSince = 0;

  constructor(private film: Film) {
    this.now = signal(film.start);
    this.stretch = signal(stretchAt(film, film.start));
  }

  /** Takes over the element; the returned function lets go of it. */
  attach(video: HTMLVideoElement): () => void {
    this.video = video;
    const listeners: [keyof HTMLMediaElementEventMap, () => void][] = [
      ["loadedmetadata", () => this.arrive()],
      ["seeked", () => this.settle()],
      ["waiting", () => (this.stalled.value = true)],
      ["playing", () => (this.stalled.value = false)],
      ["ended", () => this.playing.value && this.stretch.value.segment !== null && this.goOn()],
      ["error", () => this.fail()],
    ];
    for (const [name, listener] of listeners) video.addEventListener(name, listener);
    this.seek(this.now.value);
    return () => {
      for (const [name, listener] of listeners) video.removeEventListener(name, listener);
      cancelAnimationFrame(this.frame);
      this.playing.value = false;
      video.pause();
      video.removeAttribute("src");
      video.load();
      this.video = null;
      this.loaded = null;
    };
  }

  /** Puts a longer film in place of this one: a recording that goes on. */
  extend(film: Film): void {
    this.film = film;
    this.stretch.value = stretchAt(film, this.now.value);
  }

  seek(at: number): void {
    const moment = clampTo(this.film, at);
    const stretch = stretchAt(this.film, moment);
    this.now.value = moment;
    this.enter(stretch, moment);
  }

  play(): void {
    if (this.now.value >= this.film.end - 1) this.seek(this.film.start);
    this.playing.value = true;
    this.gapSince = performance.now();
    this.run();
    cancelAnimationFrame(this.frame);
    this.last = performance.now();
    this.frame = requestAnimationFrame(this.tick);
  }

  pause(): void {
    this.playing.value = false;
    cancelAnimationFrame(this.frame);
    this.video?.pause();
  }

  toggle(): void {
    if (this.playing.value) this.pause();
    else this.play();
  }

  /** One frame on (1) or back (-1). */
  step(direction: 1 | -1): void {
    this.pause();
    this.seek(this.now.value + direction * FRAME_MS);
  }

  setRate(rate: number): void {
    this.rate.value = rate;
    if (this.video !== null) this.video.playbackRate = rate;
  }

  /** `L`: plays, and faster when it plays already. */
  faster(): void {
    if (!this.playing.value) this.play();
    else this.setRate(RATES.find((rate) => rate > this.rate.value) ?? this.rate.value);
  }

  /** Asks for the file again after a failure. */
  retry(): void {
    this.failed.value = null;
    this.loaded = null;
    this.seek(this.now.value);
  }

  private enter(stretch: Stretch, moment: number): void {
    this.stretch.value = stretch;
    this.gapSince = performance.now();
    const { video } = this;
    if (video === null) return;
    if (stretch.segment === null) {
      video.pause();
      this.target = null;
      this.stalled.value = false;
      return;
    }
    this.target = mediaTime(stretch, moment);
    if (this.loaded?.url !== stretch.segment.url) {
      this.loaded = stretch.segment;
      this.failed.value = null;
      video.src = stretch.segment.url;
      video.load();
    } else if (video.readyState >= HTMLMediaElement.HAVE_METADATA) {
      this.arrive();
    }
    if (this.playing.value) this.run();
  }

  private arrive(): void {
    const { video, target } = this;
    if (video === null || target === null) return;
    video.playbackRate = this.rate.value;
    const reachable = Number.isFinite(video.duration) ? Math.min(target, video.duration) : target;
    if (Math.abs(video.currentTime - reachable) < 0.0005 && !video.seeking) this.settle();
    else video.currentTime = reachable;
  }

  private settle(): void {
    const { video, target } = this;
    if (video === null || target === null || video.seeking) return;
    this.target = null;
    if (this.playing.value) this.run();
  }

  private run(): void {
    const { video } = this;
    if (video === null || this.stretch.value.segment === null || this.failed.value !== null) return;
    video.playbackRate = this.rate.value;
    video.play().catch((error: unknown) => {
      // A new source or a pause breaks off a play that has not begun; that is no failure.
      if (error instanceof DOMException && error.name === "AbortError") return;
      this.pause();
    });
  }

  private goOn(): void {
    const next = stretchAfter(this.film, this.stretch.value);
    if (next === null) {
      this.now.value = this.film.end;
      this.pause();
      return;
    }
    this.now.value = next.start;
    this.enter(next, next.start);
  }

  private fail(): void {
    if (this.video?.error === null || this.loaded === null) return;
    this.failed.value = this.video?.error?.message ?? "";
    this.pause();
  }

  private readonly tick = (time: number): void => {
    const passed = Math.max(0, time - this.last);
    this.last = time;
    const { video } = this;
    const stretch = this.stretch.value;
    if (stretch.segment === null) {
      const at = this.now.value + passed * this.rate.value;
      // Where nothing was recorded at all, the ink on the snapshots is played in its own time.
      const heard = voicesAt(this.film, at).length > 0;
      const shownEnough = stretch.end < this.film.end && !heard && time - this.gapSince > GAP_SHOWN_MS;
      if (at >= stretch.end || shownEnough) this.goOn();
      else this.now.value = at;
    } else if (video !== null && this.target === null) {
      this.now.value = momentOf(stretch, video.currentTime);
      if (this.now.value >= stretch.end) this.goOn();
    }
    if (this.playing.value) this.frame = requestAnimationFrame(this.tick);
  };
}

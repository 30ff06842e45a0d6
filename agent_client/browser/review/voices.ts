/** The voices of a recording that lie in files of their own, played in step with the picture. */

import { effect, type Signal, signal } from "@preact/signals";
import { type Film, type Segment, voicesAt } from "./film";
import type { Playback } from "./playback";

/** Ears notice less than this beside a picture, and every correction is heard as a click. */
const APART_S = 0.12;
/** A file is asked for so long before it is to be heard. */
const AHEAD_MS = 3000;

/** Where in its file a voice is at a moment, seconds. */
export const voiceTime = (voice: Segment, at: number): number => (at - voice.started_at) / 1000;

/** Whether a voice has to be moved: it is further from where it should be than one hears. */
export const isApart = (current: number, wanted: number, rate: number): boolean =>
  Math.abs(current - wanted) > APART_S * Math.max(1, rate);

export class Voices {
  /** Ids of the participants who are not to be heard. */
  readonly muted: Signal<ReadonlySet<string>> = signal(new Set());
  private readonly elements = new Map<string, HTMLAudioElement>();
  private place: HTMLElement | null = null;

  constructor(private film: Film) {}

  /** Puts a longer film in the place of this one. */
  extend(film: Film): void {
    this.film = film;
  }

  toggle(participant: string): void {
    const next = new Set(this.muted.value);
    if (!next.delete(participant)) next.add(participant);
    this.muted.value = next;
  }

  /** Goes in step with the playback of `video`, until the returned function is used. */
  attach(playback: Playback, video: HTMLVideoElement): () => void {
    this.place = video.parentElement;
    const release = effect(() => {
      const shown = playback.stretch.value.segment;
      video.muted = shown !== null && this.muted.value.has(shown.participant);
      this.follow(playback.now.value, playback.playing.value && !playback.stalled.value, playback.rate.value);
    });
    return () => {
      release();
      for (const element of this.elements.values()) {
        element.pause();
        element.removeAttribute("src");
        element.load();
        element.remove();
      }
      this.elements.clear();
    };
  }

  private follow(now: number, running: boolean, rate: number): void {
    const heard = new Set(voicesAt(this.film, now));
    for (const voice of this.film.voices) {
      const near = heard.has(voice) || voicesAt(this.film, now + AHEAD_MS).includes(voice);
      const element = this.elements.get(voice.id) ?? (near ? this.open(voice) : null);
      if (element === null) continue;
      element.muted = this.muted.value.has(voice.participant);
      element.playbackRate = rate;
      if (!heard.has(voice) || !running) {
        if (!element.paused) element.pause();
        continue;
      }
      const wanted = voiceTime(voice, now);
      if (element.readyState >= HTMLMediaElement.HAVE_METADATA && isApart(element.currentTime, wanted, rate)) {
        element.currentTime = wanted;
      }
      // A file that ended a little early, or a pause in the next moment, breaks the play off: no failure.
      if (element.paused && !element.ended) element.play().catch(() => undefined);
    }
  }

  private open(voice: Segment): HTMLAudioElement {
    const element = new Audio(voice.url);
    element.preload = "auto";
    element.dataset.voice = voice.participant;
    this.elements.set(voice.id, element);
    this.place?.append(element);
    return element;
  }
}

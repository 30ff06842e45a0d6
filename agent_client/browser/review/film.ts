/**
 * The film: the segments of a recording laid on one axis of time, in ms since 1970.
 *
 * A recording is seldom one file: the recorder starts a new one after a pause or a crash. The film keeps the true
 * distances between them, so that what was not recorded shows as a gap instead of being glued over.
 */

/** A file of the recording, as the server lists it. */
export interface Segment {
  readonly id: string;
  /** Whose media it holds. */
  readonly participant: string;
  readonly codec: string;
  /** It was written, and is not on the server's disk any more. */
  readonly missing: boolean;
  /** The first frame's time, ms since 1970. */
  readonly started_at: number;
  /** 0 or null while the file is still being written. */
  readonly duration_ms: number | null;
  readonly url: string;
}

/** A stretch of the film: of one segment, or a gap when `segment` is null. `end` is not part of it. */
export interface Stretch {
  readonly start: number;
  readonly end: number;
  readonly segment: Segment | null;
  /** The gap is there because a file that was written is missing. */
  readonly missing: boolean;
}

export interface Film {
  readonly start: number;
  readonly end: number;
  readonly stretches: readonly Stretch[];
  /** Files that hold nothing but somebody's voice, heard beside the pictures. */
  readonly voices: readonly Segment[];
}

const VOICE = "OPUS";

/** Below this, what lies between two files is the time it takes to open one, and no loss worth a word. */
export const SEAM_MS = 250;

const endOf = (segment: Segment): number => segment.started_at + (segment.duration_ms ?? 0);

/**
 * Lays segments on the axis. Where two overlap (the clocks of two recorder processes differ by a little) the later one
 * wins. Without a finished segment the film is one gap over `span`. It is as long as what is seen or heard of it.
 */
export function layFilm(segments: readonly Segment[], span: { start: number; end: number }): Film {
  const finished = segments
    .filter((segment) => (segment.duration_ms ?? 0) > 0)
    .sort((a, b) => a.started_at - b.started_at);
  const voices = finished.filter((segment) => segment.codec === VOICE && !segment.missing);
  const heard = {
    start: Math.min(...voices.map((voice) => voice.started_at)),
    end: Math.max(...voices.map(endOf)),
  };
  const pictures = finished.filter((segment) => segment.codec !== VOICE);
  const stretches: Stretch[] = [];
  for (const [index, segment] of pictures.entries()) {
    const next = pictures[index + 1];
    let end = endOf(segment);
    if (next !== undefined) {
      if (next.started_at - end < SEAM_MS) end = next.started_at;
      if (end <= segment.started_at) continue;
    }
    const { missing } = segment;
    stretches.push({ start: segment.started_at, end, segment: missing ? null : segment, missing });
    if (next !== undefined && next.started_at > end) stretches.push(gap(end, next.started_at));
  }
  const first = stretches[0];
  const last = stretches[stretches.length - 1];
  if (first === undefined || last === undefined) {
    const start = Math.min(span.start, heard.start);
    const end = Math.max(span.end, heard.end, start + 1);
    return { start, end, stretches: [gap(start, end)], voices };
  }
  if (first.start - heard.start > SEAM_MS) stretches.unshift(gap(heard.start, first.start));
  if (heard.end - last.end > SEAM_MS) stretches.push(gap(last.end, heard.end));
  const start = stretches[0]?.start ?? first.start;
  return { start, end: stretches[stretches.length - 1]?.end ?? last.end, stretches, voices };
}

const gap = (start: number, end: number): Stretch => ({ start, end, segment: null, missing: false });

/** The voices that are heard at a moment. */
export function voicesAt(film: Film, at: number): readonly Segment[] {
  return film.voices.filter((voice) => at >= voice.started_at && at < endOf(voice));
}

/** The stretches in which nothing is to be seen, when there is something to be seen at all. */
export function gapsOf(film: Film): readonly Stretch[] {
  const gaps = film.stretches.filter((stretch) => stretch.segment === null);
  return gaps.length === film.stretches.length && gaps.every((one) => !one.missing) ? [] : gaps;
}

/** `at` moved into the film. */
export function clampTo(film: Film, at: number): number {
  return Math.min(film.end, Math.max(film.start, at));
}

/** The stretch at a moment; before the film its first, after it its last. */
export function stretchAt(film: Film, at: number): Stretch {
  const found = film.stretches.find((stretch) => at < stretch.end);
  return found ?? (film.stretches[film.stretches.length - 1] as Stretch);
}

/** The stretch that follows, or null at the end. */
export function stretchAfter(film: Film, stretch: Stretch): Stretch | null {
  return film.stretches.find((other) => other.start >= stretch.end) ?? null;
}

/** Where in its file a moment lies, in seconds, as `HTMLMediaElement.currentTime`. */
export function mediaTime(stretch: Stretch, at: number): number {
  return Math.max(0, Math.min(at, stretch.end) - stretch.start) / 1000;
}

/** The moment, ms since 1970, at which a file's `currentTime` (in seconds) lies. */
export function momentOf(stretch: Stretch, currentTime: number): number {
  return Math.min(stretch.end, stretch.start + currentTime * 1000);
}

/** 0..1 along the film. */
export function fractionOf(film: Film, at: number): number {
  return (clampTo(film, at) - film.start) / (film.end - film.start);
}

/** The moment at a fraction 0..1 of the film. */
export function momentAt(film: Film, fraction: number): number {
  return Math.round(film.start + Math.min(1, Math.max(0, fraction)) * (film.end - film.start));
}

/** How much of it was recorded, in ms. */
export function recordedMs(film: Film): number {
  return film.stretches.reduce((sum, s) => sum + (s.segment === null ? 0 : s.end - s.start), 0);
}

/** `1:05`, `1:02:09`, `−0:07`; with tenths `1:05.4`. */
export function clockText(ms: number, tenths = false): string {
  const whole = tenths ? Math.floor(Math.abs(ms) / 100) * 100 : Math.floor(Math.abs(ms) / 1000) * 1000;
  const seconds = Math.floor(whole / 1000);
  const pad = (number: number) => String(number).padStart(2, "0");
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  const head = hours > 0 ? `${hours}:${pad(minutes)}` : String(minutes);
  const tail = tenths ? `.${(whole % 1000) / 100}` : "";
  return `${ms < 0 && whole > 0 ? "\u2212" : ""}${head}:${pad(seconds % 60)}${tail}`;
}

import type { Signal } from "@preact/signals";
import { t, type Word } from "../app/words";
import type { RecordingPage } from "../http";
import { clockText, type Film } from "./film";
import { Icon, type Sign } from "./icons";
import { type Playback, RATES } from "./playback";
import { Sound } from "./sound";
import type { Voices } from "./voices";

export const LEAP_MS = 5000;

interface ControlsProps {
  page: RecordingPage;
  film: Film;
  playback: Playback;
  voices: Voices;
  ink: Signal<boolean>;
  onFull: () => void;
}

/** The bar below the picture: play, leap, step, time, speed, ink, full screen. */
export function Controls({ page, film, playback, voices, ink, onFull }: ControlsProps) {
  const button = (sign: Sign, label: Word, run: () => void) => (
    <button type="button" class="button quiet icon" aria-label={t(label)} title={t(label)} onClick={run}>
      <Icon sign={sign} />
    </button>
  );
  const playing = playback.playing.value;
  return (
    <section class="player-controls" aria-label={t("review.controls")}>
      {button(playing ? "pause" : "play", playing ? "review.pause" : "review.play", () => playback.toggle())}
      {button("back", "review.back", () => playback.seek(playback.now.value - LEAP_MS))}
      {button("frame_back", "review.frame_back", () => playback.step(-1))}
      {button("frame_on", "review.frame_on", () => playback.step(1))}
      {button("on", "review.on", () => playback.seek(playback.now.value + LEAP_MS))}
      <Time film={film} playback={playback} />
      <span class="grow" />
      <Sound {...{ page, film, voices }} />
      <label class="player-rate">
        <span class="visually-hidden">{t("review.rate")}</span>
        <select
          value={String(playback.rate.value)}
          onChange={(event) => playback.setRate(Number(event.currentTarget.value))}
        >
          {RATES.map((rate) => (
            <option key={rate} value={String(rate)}>
              {rate} ×
            </option>
          ))}
        </select>
      </label>
      <button
        type="button"
        class="button quiet"
        aria-pressed={ink.value}
        title={t("review.ink_key")}
        onClick={() => (ink.value = !ink.value)}
      >
        <Icon sign="ink" />
        <span>{t("review.ink")}</span>
      </button>
      {button("full", "review.full", onFull)}
    </section>
  );
}

function Time({ film, playback }: { film: Film; playback: Playback }) {
  const now = clockText(playback.now.value - film.start, true);
  return (
    <span class="player-time number">
      <span class="player-now" data-testid="now">
        {now}
      </span>{" "}
      <span class="muted">/ {clockText(film.end - film.start)}</span>
    </span>
  );
}

import { signal } from "@preact/signals";
import { useMemo, useRef } from "preact/hooks";
import { t, type Word } from "../app/words";
import type { Cut } from "./cut";
import { clockText, type Film, fractionOf, momentAt, stretchAt } from "./film";
import { LANES, type Lane, type Mark, type Moment, marksOf } from "./moments";
import { FRAME_MS, type Playback } from "./playback";
import "./axis.css";

/** Marks nearer than this (a fraction of the axis) are shown as one. */
const SPACING = 0.008;

const percent = (fraction: number): string => `${(fraction * 100).toFixed(3)}%`;

interface AxisProps {
  film: Film;
  moments: readonly Moment[];
  playback: Playback;
  cut: Cut | null;
  say: (moment: Moment) => string;
}

interface Hint {
  fraction: number;
  text: string;
}

/** The time axis: what was recorded, the playhead, the cut, and a lane of marks for each sort of moment. */
export function Axis({ film, moments, playback, cut, say }: AxisProps) {
  const hint = useMemo(() => signal<Hint | null>(null), []);
  const lanes = useMemo(
    () => LANES.map((lane) => ({ lane, marks: marksOf(moments, lane, film, SPACING) })),
    [moments, film],
  );
  const track = useRef<HTMLDivElement>(null);
  const momentUnder = (event: PointerEvent): number => {
    const box = track.current?.getBoundingClientRect();
    return box === undefined ? film.start : momentAt(film, (event.clientX - box.left) / box.width);
  };
  const hover = (event: PointerEvent): void => {
    const at = momentUnder(event);
    const { segment, missing } = stretchAt(film, at);
    const gap = segment === null ? ` · ${t(missing ? "review.gap_missing" : "review.gap_short")}` : "";
    hint.value = { fraction: fractionOf(film, at), text: clockText(at - film.start, true) + gap };
  };
  const tell = (mark: Mark): void => {
    const [first] = mark.moments;
    if (first === undefined) return;
    const more = mark.moments.length > 1 ? ` ${t("review.more", { count: mark.moments.length - 1 })}` : "";
    hint.value = { fraction: mark.fraction, text: `${clockText(mark.at - film.start)} · ${say(first)}${more}` };
  };
  return (
    <div class="axis" onPointerLeave={() => (hint.value = null)}>
      <div class="axis-row axis-head">
        <span class="axis-name" />
        <div class="axis-track" ref={track} onPointerMove={hover}>
          <Rail film={film} playback={playback} momentUnder={momentUnder} />
          {cut !== null && <Handles film={film} cut={cut} momentUnder={momentUnder} />}
          <HintBubble hint={hint.value} />
        </div>
      </div>
      {lanes.map(({ lane, marks }) => (
        <div class="axis-row" key={lane}>
          <span class="axis-name" aria-hidden="true">
            {t(`review.lane.${lane}` as Word)}
          </span>
          <ul
            class="axis-track axis-lane"
            data-lane={lane}
            aria-label={t(`review.lane.${lane}` as Word)}
            onPointerMove={(e) => e.target === e.currentTarget && hover(e)}
          >
            {marks.map((mark) => (
              <MarkButton
                key={mark.moments[0]?.seq}
                {...{ mark, lane, film, say, tell }}
                jump={(at) => playback.seek(at)}
              />
            ))}
          </ul>
        </div>
      ))}
      <Playhead film={film} playback={playback} />
    </div>
  );
}

interface MarkButtonProps {
  mark: Mark;
  lane: Lane;
  film: Film;
  say: (moment: Moment) => string;
  tell: (mark: Mark) => void;
  jump: (at: number) => void;
}

function MarkButton({ mark, lane, film, say, tell, jump }: MarkButtonProps) {
  const [first] = mark.moments;
  if (first === undefined) return null;
  // The list beside the video is the way by keyboard: hundreds of marks would be hundreds of tab stops.
  return (
    <li>
      <button
        type="button"
        tabIndex={-1}
        class={`mark ${lane}`}
        style={{ left: percent(mark.fraction) }}
        aria-label={`${clockText(mark.at - film.start)} ${say(first)}`}
        onPointerEnter={() => tell(mark)}
        onClick={() => jump(mark.at)}
      />
    </li>
  );
}

function HintBubble({ hint }: { hint: Hint | null }) {
  if (hint === null) return null;
  const side = hint.fraction > 0.7 ? "left" : hint.fraction < 0.3 ? "right" : "middle";
  return (
    <span class={`axis-hint ${side}`} style={{ left: percent(hint.fraction) }} aria-hidden="true">
      {hint.text}
    </span>
  );
}

function Playhead({ film, playback }: { film: Film; playback: Playback }) {
  return (
    <div class="axis-row axis-overlay" aria-hidden="true">
      <span class="axis-name" />
      <div class="axis-track">
        <div class="playhead" style={{ left: percent(fractionOf(film, playback.now.value)) }} />
      </div>
    </div>
  );
}

interface RailProps {
  film: Film;
  playback: Playback;
  momentUnder: (event: PointerEvent) => number;
}

/** What was recorded, with the gaps, as a slider that moves the playback. */
function Rail({ film, playback, momentUnder }: RailProps) {
  const drag = (event: PointerEvent): void => {
    if (event.buttons & 1) playback.seek(momentUnder(event));
  };
  const press = (event: PointerEvent): void => {
    if (event.button !== 0) return;
    (event.currentTarget as HTMLElement).setPointerCapture(event.pointerId);
    playback.seek(momentUnder(event));
  };
  const key = (event: KeyboardEvent): void => {
    const to = { Home: film.start, End: film.end }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    playback.seek(to);
  };
  const now = playback.now.value;
  return (
    <div
      class="film"
      role="slider"
      tabIndex={0}
      aria-label={t("review.position")}
      aria-valuemin={0}
      aria-valuemax={Math.round((film.end - film.start) / 1000)}
      aria-valuenow={Math.round((now - film.start) / 1000)}
      aria-valuetext={
        playback.stretch.value.segment === null
          ? `${clockText(now - film.start)}, ${t("review.gap_short")}`
          : clockText(now - film.start)
      }
      onPointerDown={press}
      onPointerMove={drag}
      onKeyDown={key}
    >
      {film.stretches.map((stretch) => (
        <span
          key={stretch.start}
          class={stretch.segment === null ? `stretch gap${stretch.missing ? " missing" : ""}` : "stretch"}
          title={stretch.segment === null ? t(stretch.missing ? "review.gap_missing" : "review.gap_short") : undefined}
          style={{
            left: percent(fractionOf(film, stretch.start)),
            width: percent(fractionOf(film, stretch.end) - fractionOf(film, stretch.start)),
          }}
        />
      ))}
      <span class="played" style={{ width: percent(fractionOf(film, now)) }} />
    </div>
  );
}

interface HandlesProps {
  film: Film;
  cut: Cut;
  momentUnder: (event: PointerEvent) => number;
}

/** The two ends of the clip, and what lies outside of it greyed out. */
function Handles({ film, cut, momentUnder }: HandlesProps) {
  const handle = (end: "in" | "out", at: number, move: (at: number) => void) => {
    const step = (event: KeyboardEvent): void => {
      const direction = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (direction === undefined) return;
      event.preventDefault();
      move(at + direction * (event.shiftKey ? 1000 : FRAME_MS));
    };
    return (
      <div
        class={`handle ${end}`}
        role="slider"
        tabIndex={0}
        aria-label={t(end === "in" ? "review.cut_in" : "review.cut_out")}
        aria-valuemin={0}
        aria-valuemax={Math.round((film.end - film.start) / 1000)}
        aria-valuenow={Math.round((at - film.start) / 1000)}
        aria-valuetext={clockText(at - film.start, true)}
        style={{ left: percent(fractionOf(film, at)) }}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          event.currentTarget.focus();
          event.preventDefault();
        }}
        onPointerMove={(event) => event.buttons & 1 && move(momentUnder(event))}
        onKeyDown={step}
      />
    );
  };
  const from = fractionOf(film, cut.from.value);
  const to = fractionOf(film, cut.to.value);
  return (
    <div class="cut">
      <span class="outside" style={{ left: "0", width: percent(from) }} />
      <span class="inside" style={{ left: percent(from), width: percent(to - from) }} />
      <span class="outside" style={{ left: percent(to), width: percent(1 - to) }} />
      {handle("in", cut.from.value, (at) => cut.markIn(at))}
      {handle("out", cut.to.value, (at) => cut.markOut(at))}
    </div>
  );
}

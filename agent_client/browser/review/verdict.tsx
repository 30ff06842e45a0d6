import { useRef, useState } from "preact/hooks";
import { at, get } from "../app/api";
import { useFold } from "../app/fold";
import { useResource } from "../app/resource";
import { explain } from "../app/toasts";
import { language, moment, t } from "../app/words";
import type { Flaw, RecordingPage, Verdict } from "../http";
import { clockText, type Film } from "./film";
import { Icon, type Sign } from "./icons";
import type { Playback } from "./playback";
import "./verdict.css";

/** What is known of a recording's soundness: neither a verdict nor an error while it is being checked. */
export interface Check {
  readonly verdict: Verdict | null;
  readonly error: unknown;
  readonly again: () => void;
}

/** Has the server check the recording, and once more when a file was added or finished. */
export function useCheck(session: string, opening: string, files: string): Check {
  const [turn, setTurn] = useState(0);
  const { data, error } = useResource<Verdict>(`verdict:${session} ${turn} ${files}`, () =>
    get<Verdict>(at`/api/recordings/${session}/verification?opening=${opening}`),
  );
  return { verdict: data, error, again: () => setTurn(turn + 1) };
}

export interface VerdictProps {
  check: Check;
  page: RecordingPage;
  film: Film;
  playback: Playback;
}

type State = "checking" | "failed" | "verified" | "altered";
type Extent = State | "interrupted" | "growing";

const SIGNS: Readonly<Record<State, Sign>> = {
  checking: "shield",
  failed: "shield_open",
  verified: "shield_check",
  altered: "shield_cross",
};

function stateOf({ verdict, error }: Check): State {
  if (verdict !== null) return verdict.state === "altered" ? "altered" : "verified";
  return error === null ? "checking" : "failed";
}

function extentOf(check: Check): Extent {
  if (check.verdict?.state !== "interrupted") return stateOf(check);
  return check.verdict.interruptions.every(({ growing }) => growing) ? "growing" : "interrupted";
}

/** Whether the recording is as it was recorded, in one word; opens to what was checked. */
export function Badge(props: VerdictProps) {
  const { check } = props;
  const [open, setOpen] = useState(false);
  const place = useRef<HTMLSpanElement>(null);
  useFold(place, open, () => setOpen(false));
  const state = stateOf(check);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: Escape closes what the button in here opened
    <span
      class="verdict"
      ref={place}
      onKeyDown={(event) => {
        if (event.key === "Escape") setOpen(false);
      }}
    >
      <span aria-live="polite">
        <button
          type="button"
          class={`badge ${state === "altered" ? "danger" : ""}`}
          aria-expanded={open}
          onClick={() => setOpen(!open)}
        >
          <Icon sign={SIGNS[state]} />
          {t(`verdict.${state}`)}
        </button>
      </span>
      {open && (
        <section class="verdict-checked card stack tight" aria-label={t("verdict.what")}>
          <About {...props} state={state} />
        </section>
      )}
    </span>
  );
}

function About({ state, ...props }: VerdictProps & { state: State }) {
  const { check } = props;
  const { verdict } = check;
  return (
    <>
      <p>{t(`verdict.about.${extentOf(check)}`)}</p>
      {verdict === null && check.error !== null && <p class="muted">{explain(check.error)}</p>}
      {verdict !== null && verdict.flaws.length > 0 && <Flaws {...props} verdict={verdict} />}
      {verdict !== null && <Checked verdict={verdict} />}
      {state !== "checking" && (
        <p class="spread small muted">
          {verdict !== null && <span>{t("verdict.checked_at", { moment: moment(verdict.checked_at) })}</span>}
          <button type="button" class="button small" onClick={check.again}>
            {t("verdict.again")}
          </button>
        </p>
      )}
    </>
  );
}

function Checked({ verdict }: { verdict: Verdict }) {
  const megabytes = new Intl.NumberFormat(language.value, {
    style: "unit",
    unit: "megabyte",
    maximumFractionDigits: 1,
  }).format(verdict.bytes / 1e6);
  const { sealed_at, key } = verdict;
  return (
    <ul class="verdict-list small">
      <li>{t(verdict.state === "altered" ? "verdict.events_read" : "verdict.events", { count: verdict.events })}</li>
      <li>{t("verdict.media", { count: verdict.chunks, size: megabytes })}</li>
      {verdict.pictures > 0 && <li>{t("verdict.pictures", { count: verdict.pictures })}</li>}
      {sealed_at === null || key === null ? (
        <li>{t("verdict.unsealed")}</li>
      ) : (
        <>
          <li>{t("verdict.sealed", { count: verdict.checkpoints, moment: moment(sealed_at) })}</li>
          <li>
            {t("verdict.key")} <span class="mono verdict-key">{key}</span>
          </li>
        </>
      )}
    </ul>
  );
}

function Flaws({ verdict, ...props }: VerdictProps & { verdict: Verdict }) {
  return (
    <ul class="verdict-list">
      {verdict.flaws.map((flaw, index) => (
        <li key={index}>
          <FlawLine {...props} flaw={flaw} />
        </li>
      ))}
      {verdict.more > 0 && <li class="muted">{t("review.more", { count: verdict.more })}</li>}
    </ul>
  );
}

/** A flaw in words, and where it lies in the recording. */
function FlawLine({ flaw, page, film, playback }: VerdictProps & { flaw: Flaw }) {
  return (
    <>
      {flawWords(flaw, page)}{" "}
      {flaw.at !== null && <Jump at={flaw.at} film={film} playback={playback} words="verdict.jump" />}
    </>
  );
}

interface JumpProps {
  at: number;
  film: Film;
  playback: Playback;
  words: "verdict.jump" | "verdict.interrupted_at";
}

/** Words with a `{time}` that go there. */
function Jump({ at: place, film, playback, words }: JumpProps) {
  return (
    <button type="button" class="verdict-jump number" onClick={() => playback.seek(place)}>
      {t(words, { time: clockText(Math.max(0, place - film.start)) })}
    </button>
  );
}

/** What is wrong, in words. The files are counted as they are listed for a download, the chunks as the verifier does. */
export function flawWords(flaw: Flaw, page: RecordingPage): string {
  const gone = ["missing", "cut", "rolled_back"].includes(flaw.kind);
  const manner = gone ? "missing" : flaw.until === null ? "changed" : "range";
  const values = {
    number: String(flaw.number),
    until: String(flaw.until),
    file: String(page.segments.findIndex(({ id }) => id === flaw.segment) + 1),
  };
  switch (flaw.place) {
    case "event":
    case "chunk":
      return t(`verdict.flaw.${flaw.place}.${manner}`, values);
    case "segment":
    case "picture":
    case "checkpoint":
      return t(`verdict.flaw.${flaw.place}.${gone ? "missing" : "changed"}`, values);
    case "front":
    case "proof":
      return t(`verdict.flaw.${flaw.place}`, values);
  }
}

/** What is wrong with the recording, or why it ends before its session did; nothing otherwise. */
export function VerdictNotes(props: VerdictProps) {
  const { check, film, playback } = props;
  const { verdict } = check;
  const [flaw] = verdict?.flaws ?? [];
  if (verdict === null) return null;
  if (flaw !== undefined) {
    const others = verdict.flaws.length - 1 + verdict.more;
    return (
      <div class="banner danger" role="status">
        <Icon sign="shield_cross" />
        <p>
          <strong>{t("verdict.banner")}</strong> <FlawLine {...props} flaw={flaw} />{" "}
          {others > 0 && <span class="muted">{t("review.more", { count: others })}</span>}
        </p>
      </div>
    );
  }
  const stopped = verdict.interruptions.find(({ growing }) => !growing);
  if (stopped === undefined) return null;
  return (
    <p class="banner warning" role="status">
      <Icon sign="shield_check" />
      {stopped.at === null ? (
        t("verdict.interrupted")
      ) : (
        <Jump at={stopped.at} film={film} playback={playback} words="verdict.interrupted_at" />
      )}
    </p>
  );
}

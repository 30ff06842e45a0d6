import { signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { may } from "../app/account";
import { at, get } from "../app/api";
import { useKeys } from "../app/keys";
import { useResource } from "../app/resource";
import { Link, type PageProps } from "../app/router";
import { Failure, Skeleton } from "../app/states";
import { moment as dateText, language, t, type Word } from "../app/words";
import type { RecordingPage, Tombstone } from "../http";
import { Gravestone } from "../keeping/gravestone";
import { Downloads, KeepingDialog, keptWords } from "../keeping/keeping";
import { Axis } from "./axis";
import { Controls, LEAP_MS } from "./controls";
import { Cut } from "./cut";
import { clockText, type Film, gapsOf, layFilm, recordedMs } from "./film";
import { withGaps } from "./gaps";
import { Icon } from "./icons";
import { type Moment, momentsOf } from "./moments";
import { Playback } from "./playback";
import { Publish } from "./publish";
import { scenesOf } from "./scene";
import { Side } from "./side";
import { Stage } from "./stage";
import { Badge, useCheck, VerdictNotes } from "./verdict";
import { Voices } from "./voices";
import "./review.css";

/** The player: a recorded session with its ink, its timeline, and for trainers the scissors. */
export function PlayerPage({ params }: PageProps) {
  const session = params.session ?? "";
  // The page is loaded anew on every hint: by this the audit log knows that it is one look.
  const opening = useMemo(() => Math.random().toString(36).slice(2), [session]);
  const { data, error, reload } = useResource<RecordingPage>(
    `recording:${session}`,
    () => get<RecordingPage>(at`/api/recordings/${session}?opening=${opening}`),
    [`session:${session}`, "retention", "ticket:"],
  );
  if (data?.tombstone != null) return <Deleted page={data} stone={data.tombstone} />;
  if (data !== null) return <Player page={data} opening={opening} reload={reload} />;
  if (error !== null) return <Failure error={error} retry={reload} />;
  return (
    <div class="player page" aria-busy="true">
      <Skeleton lines={2} />
      <div class="stage" />
    </div>
  );
}

const words = (key: string): string => t(key as Word);
const say = (moment: Moment): string => t(moment.key as Word, moment.values);

/** What is left of a recording that was deleted: who did it and why, and that things happened, without their words. */
function Deleted({ page, stone }: { page: RecordingPage; stone: Tombstone }) {
  const film = useMemo(() => filmOf(page), [page]);
  const playback = useMemo(() => new Playback(film), [film]);
  const moments = useMemo(() => momentsOf(page.events, words), [page.events, language.value]);
  return (
    <div class="player page">
      <Head page={page} film={film} />
      <div class="player-body">
        <Gravestone stone={stone} />
        <Side {...{ film, moments, playback, say }} />
      </div>
    </div>
  );
}

/** The files that are laid out: while the session goes on, the one that is being written is not among them. */
const playable = (page: RecordingPage) => page.segments.filter((segment) => segment.finished || page.ended_at !== null);

/** The film of a page; while nothing is recorded it spans what happened once somebody was there to see it. */
function filmOf(page: RecordingPage): Film {
  const seen = page.events.find(({ body }) => body.type === "sharing_started" || body.type === "snapshot_taken");
  const start = seen?.at ?? page.events[0]?.at ?? page.created_at;
  return layFilm(playable(page), { start, end: page.events[page.events.length - 1]?.at ?? start });
}

function Player({ page, opening, reload }: { page: RecordingPage; opening: string; reload: () => void }) {
  const files = playable(page)
    .map((segment) => `${segment.url} ${segment.duration_ms}`)
    .join();
  // The page is loaded anew on every hint; the film is another one only when a file has been added or finished.
  const film = useMemo(() => filmOf(page), [page.session, files, files !== "" || page.events.length]);
  const playback = useMemo(() => new Playback(film), [page.session]);
  const cut = useMemo(() => new Cut(film), [film]);
  const voices = useMemo(() => new Voices(film), [page.session]);
  useEffect(() => {
    playback.extend(film);
    voices.extend(film);
  }, [playback, voices, film]);
  const check = useCheck(page.session, opening, files);
  const ink = useMemo(() => signal(true), []);
  const [cutting, setCutting] = useState(false);
  /** Opened by its button rather than by marking: then the form is what one wants to see. */
  const [sought, setSought] = useState(false);
  const tongue = language.value;
  const moments = useMemo(
    () => withGaps(momentsOf(page.events, words), film, page.events, words),
    [page.events, film, tongue],
  );
  const scenes = useMemo(() => scenesOf(page.events), [page.events]);
  const screen = useRef<HTMLDivElement>(null);
  const mayCut = may("clip.create") && page.segments.some(({ missing, codec }) => !missing && codec !== "OPUS");
  const [dialog, setDialog] = useState<"keeping" | "download" | null>(null);
  const full = (): void => {
    if (document.fullscreenElement !== null) void document.exitFullscreen();
    else void screen.current?.requestFullscreen();
  };
  useKeys(
    [
      { keys: "Space", label: "review.key.toggle", run: () => playback.toggle() },
      { keys: "k", label: "review.pause", run: () => playback.pause() },
      { keys: "l", label: "review.key.faster", run: () => playback.faster() },
      { keys: "j", label: "review.back", run: () => playback.seek(playback.now.value - LEAP_MS) },
      { keys: "ArrowLeft", label: "review.frame_back", run: () => playback.step(-1) },
      { keys: "ArrowRight", label: "review.frame_on", run: () => playback.step(1) },
      { keys: "i", label: "review.ink_key", run: () => (ink.value = !ink.value) },
      { keys: "f", label: "review.full", run: full },
      ...(mayCut
        ? [
            {
              keys: "[",
              label: "review.mark_in" as const,
              run: () => {
                cut.markIn(playback.now.value);
                setCutting(true);
              },
            },
            {
              keys: "]",
              label: "review.mark_out" as const,
              run: () => {
                cut.markOut(playback.now.value);
                setCutting(true);
              },
            },
          ]
        : []),
    ],
    [playback, cut, mayCut],
  );
  return (
    <div class="player page">
      <Head page={page} film={film} badge={<Badge {...{ check, page, film, playback }} />}>
        <button type="button" class="button" onClick={() => setDialog("download")}>
          <Icon sign="save" />
          {t("download.open")}
        </button>
        {(may("recording.hold") || may("recording.delete")) && (
          <button type="button" class="button" onClick={() => setDialog("keeping")}>
            <Icon sign="lock" />
            {t("keeping.open")}
          </button>
        )}
        {mayCut && (
          <button
            type="button"
            class={cutting ? "button" : "button primary"}
            aria-expanded={cutting}
            onClick={() => {
              setCutting(!cutting);
              setSought(!cutting);
            }}
          >
            <Icon sign="cut" />
            {t("review.cut")}
          </button>
        )}
      </Head>
      {dialog === "keeping" && <KeepingDialog page={page} reload={reload} onClose={() => setDialog(null)} />}
      {dialog === "download" && <Downloads page={page} onClose={() => setDialog(null)} />}
      <Condition page={page} film={film} />
      <VerdictNotes {...{ check, page, film, playback }} />
      <div class="player-body">
        <div class="player-main">
          <div class="screen" ref={screen}>
            <Stage {...{ page, film, scenes, playback, voices, ink }} />
            <Controls {...{ page, film, playback, voices, ink }} onFull={full} />
          </div>
          <Axis {...{ film, moments, playback, say }} cut={cutting ? cut : null} />
          {cutting && (
            <Publish
              {...{ film, playback, cut, sought }}
              session={page.session}
              subject={page.subject}
              events={page.events}
              onClose={() => setCutting(false)}
            />
          )}
        </div>
        <Side {...{ film, moments, playback, say }} />
      </div>
    </div>
  );
}

interface HeadProps {
  page: RecordingPage;
  film: Film;
  badge?: ComponentChildren;
  children?: ComponentChildren;
}

function Head({ page, film, badge, children }: HeadProps) {
  return (
    <header class="spread">
      <div class="player-title">
        <nav class="small" aria-label={t("review.path")}>
          <Link to="/library">{t("library.title")}</Link>
        </nav>
        <h1>{page.subject}</h1>
        <Facts page={page} film={film} badge={badge} />
      </div>
      <div class="row tight">{children}</div>
    </header>
  );
}

function Facts({ page, film, badge }: HeadProps) {
  return (
    <ul class="player-facts muted small">
      {badge !== undefined && <li>{badge}</li>}
      {page.ticket !== null && (
        <li>
          <Link to={`/tickets/${page.ticket}`}>
            {t("library.ticket", { number: String(page.ticket_number ?? "") })}
          </Link>
        </li>
      )}
      <li>
        {t("library.with", {
          customer: page.customer_name || t("live.customer"),
          agent: page.agent_name ?? t("library.nobody"),
        })}
      </li>
      <li>
        <time dateTime={new Date(page.created_at).toISOString()}>{dateText(page.created_at)}</time>
      </li>
      {playable(page).length > 0 && <li class="number">{clockText(recordedMs(film))}</li>}
      {page.tombstone === null && (
        <li>
          {page.keeping.holds.length > 0 && <span class="badge strong">{t("hold.badge")}</span>}{" "}
          {keptWords(page.keeping)}
        </li>
      )}
    </ul>
  );
}

/** What keeps the recording from being whole, in words. */
function Condition({ page, film }: { page: RecordingPage; film: Film }) {
  const has = (type: string): boolean => page.events.some(({ body }) => body.type === type);
  const notes: Word[] = [];
  if (page.ended_at === null) notes.push("review.still_running");
  const gaps = gapsOf(film);
  if (has("recording_failed") && gaps.length === 0) notes.push("review.recorder_failed");
  if (page.segments.length === 0) {
    const refused = page.events.some(({ body }) => body.type === "consent_refused" && body.scope === "record");
    notes.push(refused ? "review.not_agreed" : "review.not_recorded");
  }
  const length = gaps.reduce((sum, { start, end }) => sum + end - start, 0);
  const lost = gaps.some(({ missing }) => missing);
  return (
    <>
      {notes.map((note) => (
        <p key={note} class="banner warning" role="status">
          {t(note)}
        </p>
      ))}
      {lost && (
        <p class="banner danger" role="status">
          {t("review.file_missing")}
        </p>
      )}
      {gaps.length > 0 && (
        <p class="banner warning" role="status">
          {t("review.gaps", { count: gaps.length, length: clockText(length) })}
        </p>
      )}
    </>
  );
}

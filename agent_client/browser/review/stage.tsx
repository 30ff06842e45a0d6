import { type Signal, signal, useComputed, useSignalEffect } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { Board } from "../../../annotate/browser/board";
import { InkLayer } from "../../../annotate/browser/ink";
import { t } from "../app/words";
import type { RecordingPage } from "../http";
import { clockText, type Film, voicesAt } from "./film";
import { causeOf } from "./gaps";
import type { Playback } from "./playback";
import { type Scene, sceneAt } from "./scene";
import type { Voices } from "./voices";

interface StageProps {
  page: RecordingPage;
  film: Film;
  scenes: readonly Scene[];
  playback: Playback;
  voices: Voices;
  ink: Signal<boolean>;
}

/** The picture of the moment, the video's or a snapshot's, with the ink that lay on it. */
export function Stage({ page, film, scenes, playback, voices, ink }: StageProps) {
  const video = useRef<HTMLVideoElement>(null);
  const frame = useRef<HTMLDivElement>(null);
  const waiting = useMemo(() => signal(false), []);
  const image = useMemo(() => signal<HTMLImageElement | null>(null), []);
  const layer = useMemo(() => signal<InkLayer | null>(null), []);
  const shown = useComputed(() => sceneAt(scenes, playback.now.value).shown?.id ?? null);
  const board = useMemo(() => boardsOf(page), [page.events]);

  useEffect(() => {
    if (video.current === null || frame.current === null) return;
    const made = new InkLayer(video.current, frame.current, { now: () => playback.now.value, live: false });
    layer.value = made;
    const release = playback.attach(video.current);
    const silence = voices.attach(playback, video.current);
    return () => {
      layer.value = null;
      made.close();
      silence();
      release();
    };
  }, [playback, voices]);

  useSignalEffect(() => {
    const { value: drawn } = layer;
    if (drawn === null || video.current === null) return;
    const now = playback.now.value;
    const scene = sceneAt(scenes, now);
    const still = scene.shown === null ? null : image.value;
    drawn.element = still ?? video.current;
    const seen = still !== null || (scene.shown === null && playback.stretch.value.segment !== null);
    drawn.surface = seen ? (scene.shown?.id ?? scene.live?.id ?? null) : null;
    drawn.visible = ink.value;
    drawn.board = board(now);
  });

  const picture = page.snapshots.find(({ surface }) => surface.id === shown.value);
  return (
    <div class="stage" data-testid="stage">
      {/* biome-ignore lint/a11y/useMediaCaption: a recorded screen; what was said stands in the chat beside it */}
      <video
        ref={video}
        preload="auto"
        playsInline
        aria-label={page.subject}
        class={playback.stretch.value.segment === null ? "absent" : undefined}
        onClick={() => playback.toggle()}
        onWaiting={() => (waiting.value = true)}
        onPlaying={() => (waiting.value = false)}
        onSeeked={() => (waiting.value = false)}
        onSeeking={() => (waiting.value = true)}
      />
      {picture !== undefined && (
        <img
          ref={(element) => {
            image.value = element;
          }}
          key={picture.surface.id}
          class="stage-snapshot"
          src={picture.url}
          alt={t("review.snapshot_alt", { label: picture.surface.label || picture.surface.id })}
        />
      )}
      <div ref={frame} class="stage-ink" data-testid="ink" />
      <Notice {...{ page, film, scenes, playback }} snapshot={picture !== undefined} waiting={waiting.value} />
    </div>
  );
}

/** The board at a moment; folded anew only when another event has come in between. */
function boardsOf(page: RecordingPage): (now: number) => Board {
  const changes = page.events.filter(({ body }) => body.type.startsWith("annotation"));
  let last = -1;
  let board = Board.EMPTY;
  return (now) => {
    let count = 0;
    while (count < changes.length && (changes[count]?.at ?? 0) <= now) count += 1;
    if (count !== last) {
      last = count;
      board = Board.fold(changes.slice(0, count));
    }
    return board;
  };
}

interface NoticeProps {
  page: RecordingPage;
  film: Film;
  scenes: readonly Scene[];
  playback: Playback;
  snapshot: boolean;
  waiting: boolean;
}

/** Says over the picture why there is none, or that it is not the live one. */
function Notice({ page, film, playback, snapshot, waiting }: NoticeProps) {
  if (playback.failed.value !== null) {
    return (
      <div class="stage-notice" role="alert">
        <p>{t("review.video_failed")}</p>
        <p class="small">{t("review.video_failed_then")}</p>
        {playback.failed.value !== "" && <p class="small mono">{playback.failed.value}</p>}
        <div class="row">
          <button type="button" class="button" onClick={() => playback.retry()}>
            {t("action.retry")}
          </button>
          {playback.stretch.value.end < film.end && (
            <button type="button" class="button" onClick={() => playback.seek(playback.stretch.value.end)}>
              {t("review.gap_skip")}
            </button>
          )}
        </div>
      </div>
    );
  }
  const stretch = playback.stretch.value;
  const { segment, start, end } = stretch;
  if (snapshot) {
    return (
      <p class="stage-caption" role="status">
        {t("review.snapshot_shown")}
      </p>
    );
  }
  if (segment !== null) {
    return waiting ? (
      <p class="stage-caption late" role="status">
        {t("review.loading_video")}
      </p>
    ) : null;
  }
  const cause = causeOf(stretch, page.events);
  return (
    <div class="stage-notice" role="status">
      {cause !== "open" && <p>{t("review.gap", { length: clockText(end - start) })}</p>}
      {cause !== "unknown" && <p>{t(`review.gap_cause.${cause}`)}</p>}
      {voicesAt(film, playback.now.value).length > 0 && <p>{t("review.gap_heard")}</p>}
      {end < film.end && (
        <button type="button" class="button" onClick={() => playback.seek(end)}>
          {t("review.gap_skip")}
        </button>
      )}
    </div>
  );
}

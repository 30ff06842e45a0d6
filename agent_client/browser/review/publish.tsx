import { useEffect, useId, useRef, useState } from "preact/hooks";
import type { Event } from "../../../signaling/browser/messages";
import { at, get, post, remove } from "../app/api";
import { useResource } from "../app/resource";
import { Link } from "../app/router";
import { explain } from "../app/toasts";
import { t } from "../app/words";
import type { Job, NewClip, Publication } from "../http";
import type { Cut } from "./cut";
import { clockText, type Film } from "./film";
import { chaptersOf } from "./moments";
import type { Playback } from "./playback";

/** A hint can be lost on its way; this is how long its loss goes unnoticed at most. */
const LOOK_AGAIN_MS = 2000;

interface PublishProps {
  session: string;
  subject: string;
  film: Film;
  events: readonly Event[];
  playback: Playback;
  cut: Cut;
  /** Whether the form is to be brought into sight. */
  sought: boolean;
  onClose: () => void;
}

/** Marks a clip, names it, and has it made into an article of the help centre. */
export function Publish(props: PublishProps) {
  const [publication, setPublication] = useState<Publication | null>(null);
  const [title, setTitle] = useState(props.subject);
  const [text, setText] = useState("");
  const [error, setError] = useState<unknown>(null);
  const [sending, setSending] = useState(false);
  const heading = useId();
  const section = useRef<HTMLElement>(null);
  useEffect(() => {
    if (props.sought) section.current?.scrollIntoView({ block: "nearest", behavior: "smooth" });
  }, [props.sought]);
  const send = async (): Promise<void> => {
    setSending(true);
    setError(null);
    const { cut, session } = props;
    const clip: NewClip = { in_ms: cut.from.value, out_ms: cut.to.value, title: title.trim(), text };
    try {
      setPublication(await post<Publication>(at`/api/recordings/${session}/clips`, clip));
    } catch (reason) {
      setError(reason);
    } finally {
      setSending(false);
    }
  };
  const again = async (): Promise<void> => {
    // The draft of the attempt that failed would stay behind in the list of articles.
    if (publication !== null) await remove(at`/api/articles/${publication.article}`).catch(() => undefined);
    setPublication(null);
    await send();
  };
  return (
    <section ref={section} class="card publish" aria-labelledby={heading}>
      <header class="spread">
        <h2 id={heading}>{t("review.publish_title")}</h2>
        <button type="button" class="button quiet small" onClick={props.onClose}>
          {t("action.close")}
        </button>
      </header>
      {publication === null ? (
        <Form {...{ ...props, title, setTitle, text, setText, sending, error, send }} />
      ) : (
        <Progress
          publication={publication}
          again={again}
          another={() => {
            setPublication(null);
            setText("");
          }}
        />
      )}
    </section>
  );
}

interface FormProps extends PublishProps {
  title: string;
  setTitle: (title: string) => void;
  text: string;
  setText: (text: string) => void;
  sending: boolean;
  error: unknown;
  send: () => Promise<void>;
}

function Form({ film, events, playback, cut, title, setTitle, text, setText, sending, error, send }: FormProps) {
  const chapters = chaptersOf(events, cut.from.value, cut.to.value);
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    void send();
  };
  return (
    <form class="stack" onSubmit={submit}>
      <p class="muted">{t("review.publish_lead")}</p>
      <div class="row publish-marks">
        <button type="button" class="button" onClick={() => cut.markIn(playback.now.value)}>
          {t("review.mark_in")} <kbd>[</kbd>
        </button>
        <button type="button" class="button quiet number" onClick={() => playback.seek(cut.from.value)}>
          {clockText(cut.from.value - film.start, true)}
        </button>
        <span aria-hidden="true">–</span>
        <button type="button" class="button quiet number" onClick={() => playback.seek(cut.to.value)}>
          {clockText(cut.to.value - film.start, true)}
        </button>
        <button type="button" class="button" onClick={() => cut.markOut(playback.now.value)}>
          {t("review.mark_out")} <kbd>]</kbd>
        </button>
        <span class="muted number" role="status">
          {t("review.cut_length", { length: clockText(cut.lengthMs, true) })}
        </span>
      </div>
      <label class="field">
        <span>{t("review.clip_title")}</span>
        <input
          required
          maxLength={200}
          value={title}
          onInput={(event) => setTitle(event.currentTarget.value)}
          autoComplete="off"
        />
      </label>
      <label class="field">
        <span>{t("review.clip_text")}</span>
        <textarea rows={6} maxLength={100_000} value={text} onInput={(event) => setText(event.currentTarget.value)} />
        <small>{t("review.markdown")}</small>
      </label>
      <div>
        <h3 class="publish-chapters">{t("review.chapters")}</h3>
        {chapters.length === 0 ? (
          <p class="muted small">{t("review.no_chapters")}</p>
        ) : (
          <ol class="chapters small">
            {chapters.map((chapter) => (
              <li key={`${chapter.at} ${chapter.number} ${chapter.title}`}>
                <span class="number muted">{clockText(chapter.at - cut.from.value)}</span>{" "}
                {chapter.key === "step" ? t("review.step", { number: chapter.number }) : ""} {chapter.title}
              </li>
            ))}
          </ol>
        )}
      </div>
      {error !== null && (
        <p class="banner danger" role="alert">
          {explain(error)}
        </p>
      )}
      <div class="row">
        <button type="submit" class="button primary" aria-busy={sending} disabled={sending || title.trim() === ""}>
          {t("review.publish")}
        </button>
        <span class="muted small">{t("review.publish_public")}</span>
      </div>
    </form>
  );
}

interface ProgressProps {
  publication: Publication;
  again: () => Promise<void>;
  another: () => void;
}

/** What has become of the clip: how far it is, where it is to be read, or why it failed. */
function Progress({ publication, again, another }: ProgressProps) {
  const { data, error, reload } = useResource<Job>(
    `job:${publication.job}`,
    () => get<Job>(at`/api/jobs/${publication.job}`),
    [`job:${publication.job}`],
  );
  const over = data?.state === "done" || data?.state === "failed";
  useEffect(() => {
    if (over) return;
    const timer = window.setInterval(reload, LOOK_AGAIN_MS);
    return () => window.clearInterval(timer);
  }, [over, reload]);
  if (error !== null && data === null) {
    return (
      <div class="stack" role="alert">
        <p>{explain(error)}</p>
        <button type="button" class="button" onClick={reload}>
          {t("action.retry")}
        </button>
      </div>
    );
  }
  if (data?.state === "failed") {
    return (
      <div class="stack">
        <div class="banner danger" role="alert">
          <p>
            <strong>{t("review.publish_failed")}</strong> {data.error}
          </p>
        </div>
        <div class="row">
          <button type="button" class="button primary" onClick={() => void again()}>
            {t("action.retry")}
          </button>
          <button type="button" class="button quiet" onClick={another}>
            {t("review.publish_change")}
          </button>
        </div>
      </div>
    );
  }
  if (data?.state === "done") {
    return (
      <div class="stack">
        <p role="status">{t("review.published")}</p>
        <div class="row">
          {data.result !== null && (
            <a
              class="button primary"
              href={`/help/${encodeURIComponent(data.result.slug)}`}
              target="_blank"
              rel="noopener"
            >
              {t("review.read_article")}
            </a>
          )}
          <Link class="button" to="/articles">
            {t("review.edit_article")}
          </Link>
          <button type="button" class="button quiet" onClick={another}>
            {t("review.another_clip")}
          </button>
        </div>
      </div>
    );
  }
  const part = Math.round((data?.progress ?? 0) * 100);
  const words = data === null || data.state === "queued" ? t("review.queued") : t("review.making", { percent: part });
  return (
    <div class="stack">
      <p role="status">{words}</p>
      <progress aria-label={t("review.progress")} max={100} value={part} />
      <p class="muted small">{t("review.publish_leave")}</p>
    </div>
  );
}

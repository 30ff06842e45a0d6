import { useState } from "preact/hooks";
import { may } from "../app/account";
import { at, get, patch, remove } from "../app/api";
import { Decision, Dialog } from "../app/dialog";
import { useResource } from "../app/resource";
import { Link, type PageProps } from "../app/router";
import { Empty, Failure, Skeleton } from "../app/states";
import { complain, tell } from "../app/toasts";
import { moment as dateText, t, type Word } from "../app/words";
import type { Article, ArticleChange, ArticleList, ArticleSummary, Job } from "../http";
import "./library.css";

/** The help centre's articles for those who write them: change, publish, take back, delete. */
export function ArticlesPage(_: PageProps) {
  const { data, error, reload } = useResource<ArticleList>("articles", () => get<ArticleList>("/api/articles"), [
    "job:",
  ]);
  const [editing, setEditing] = useState<string | null>(null);
  const [deleting, setDeleting] = useState<ArticleSummary | null>(null);
  const close = (): void => {
    setEditing(null);
    setDeleting(null);
  };
  return (
    <div class="page stack library">
      <header class="spread">
        <h1>{t("library.articles_title")}</h1>
        <a class="button" href="/help" target="_blank" rel="noopener">
          {t("library.open_help")}
        </a>
      </header>
      {error !== null && data === null && <Failure error={error} retry={reload} />}
      {error === null && data === null && <Skeleton lines={5} />}
      {data !== null && data.articles.length === 0 && (
        <Empty title={t("library.no_articles_title")}>
          <p>{t("library.no_articles")}</p>
          <Link class="button primary" to="/library">
            {t("library.no_articles_action")}
          </Link>
        </Empty>
      )}
      {data !== null && data.articles.length > 0 && (
        <ul class="rows articles">
          {data.articles.map((article) => (
            <li key={article.id} class="item article">
              <Row
                article={article}
                reload={reload}
                edit={() => setEditing(article.id)}
                erase={() => setDeleting(article)}
              />
            </li>
          ))}
        </ul>
      )}
      {editing !== null && <Editor id={editing} onClose={close} onSaved={reload} />}
      {deleting !== null && <Deletion article={deleting} onClose={close} onDeleted={reload} />}
    </div>
  );
}

interface RowProps {
  article: ArticleSummary;
  reload: () => void;
  edit: () => void;
  erase: () => void;
}

function Row({ article, reload, edit, erase }: RowProps) {
  const published = article.state === "published";
  const turn = async (): Promise<void> => {
    const change: ArticleChange = { title: null, text: null, state: published ? "draft" : "published" };
    try {
      await patch(at`/api/articles/${article.id}`, change);
      tell(t(published ? "library.unpublished_now" : "library.published_now", { title: article.title }));
      reload();
    } catch (error) {
      complain(error);
    }
  };
  const named = (word: Word): string => `${t(word)}: ${article.title}`;
  return (
    <>
      <span class="grow">
        <span class="recording-subject">
          {published ? (
            <a href={article.url} target="_blank" rel="noopener">
              {article.title}
            </a>
          ) : (
            article.title
          )}
        </span>
        <span class="muted small">
          {article.author_name !== null && `${article.author_name} · `}
          {dateText(article.updated_at)}
          {published && ` · ${t("library.views", { count: article.views })}`}
          {article.solved + article.unsolved > 0 &&
            ` · ${t("library.solved", { count: article.solved, total: article.solved + article.unsolved })}`}
        </span>
      </span>
      <span class={published ? "badge accent" : "badge"}>{t(`library.state.${article.state}`)}</span>
      {may("article.write") && (
        <span class="row tight">
          <button type="button" class="button small" aria-label={named("action.edit")} onClick={edit}>
            {t("action.edit")}
          </button>
          <button
            type="button"
            class="button small"
            aria-label={named(published ? "library.unpublish" : "library.publish")}
            onClick={() => void turn()}
          >
            {t(published ? "library.unpublish" : "library.publish")}
          </button>
          <button type="button" class="button small quiet danger" aria-label={named("action.delete")} onClick={erase}>
            {t("action.delete")}
          </button>
        </span>
      )}
    </>
  );
}

interface EditorProps {
  id: string;
  onClose: () => void;
  onSaved: () => void;
}

function Editor({ id, onClose, onSaved }: EditorProps) {
  const { data, error, reload } = useResource<Article>(`article:${id}`, () => get<Article>(at`/api/articles/${id}`));
  return (
    <Dialog title={t("library.edit_title")} onClose={onClose} wide>
      {data !== null && <EditorForm article={data} onClose={onClose} onSaved={onSaved} />}
      {data === null && error === null && <Skeleton lines={4} />}
      {data === null && error !== null && <Failure error={error} retry={reload} />}
    </Dialog>
  );
}

function EditorForm({ article, onClose, onSaved }: { article: Article; onClose: () => void; onSaved: () => void }) {
  const [title, setTitle] = useState(article.title);
  const [text, setText] = useState(article.text);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const save = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    const change: ArticleChange = { title: title.trim(), text, state: null };
    try {
      await patch(at`/api/articles/${article.id}`, change);
      tell(t("library.saved"));
      onSaved();
      onClose();
    } catch (reason) {
      setError(reason);
      setBusy(false);
    }
  };
  return (
    <form class="stack" onSubmit={(event) => void save(event)}>
      {article.job !== null && article.video === null && <Making job={article.job} />}
      <label class="field">
        <span>{t("review.clip_title")}</span>
        <input required maxLength={200} value={title} onInput={(event) => setTitle(event.currentTarget.value)} />
      </label>
      <label class="field">
        <span>{t("review.clip_text")}</span>
        <textarea rows={12} maxLength={100_000} value={text} onInput={(event) => setText(event.currentTarget.value)} />
        <small>{t("review.markdown")}</small>
      </label>
      {article.session !== null && (
        <p class="small">
          <Link to={`/library/${article.session}`}>{t("library.open_recording")}</Link>
        </p>
      )}
      <Decision action={t("action.save")} error={error} busy={busy} disabled={title.trim() === ""} onCancel={onClose} />
    </form>
  );
}

/** An article whose video is still being made, or could not be made. */
function Making({ job }: { job: string }) {
  const { data } = useResource<Job>(`job:${job}`, () => get<Job>(at`/api/jobs/${job}`), [`job:${job}`]);
  if (data === null) return null;
  if (data.state === "failed") {
    return (
      <p class="banner danger" role="alert">
        {t("review.publish_failed")} {data.error}
      </p>
    );
  }
  const percent = Math.round(data.progress * 100);
  return (
    <div class="stack tight">
      <p role="status">{t("review.making", { percent })}</p>
      <progress aria-label={t("review.progress")} max={100} value={percent} />
    </div>
  );
}

interface DeletionProps {
  article: ArticleSummary;
  onClose: () => void;
  onDeleted: () => void;
}

function Deletion({ article, onClose, onDeleted }: DeletionProps) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const erase = async (): Promise<void> => {
    setBusy(true);
    try {
      await remove(at`/api/articles/${article.id}`);
      tell(t("library.deleted", { title: article.title }));
      onDeleted();
      onClose();
    } catch (reason) {
      setError(reason);
      setBusy(false);
    }
  };
  return (
    <Dialog title={t("library.delete_title")} onClose={onClose}>
      <div class="stack">
        <p>{t("library.delete_words", { title: article.title })}</p>
        <Decision
          action={t("action.delete")}
          error={error}
          busy={busy}
          danger
          onAct={() => void erase()}
          onCancel={onClose}
        />
      </div>
    </Dialog>
  );
}

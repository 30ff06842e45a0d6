import { useId, useState } from "preact/hooks";
import { at, post } from "../app/api";
import { Decision, Dialog } from "../app/dialog";
import { tell } from "../app/toasts";
import { t } from "../app/words";
import type { DeletionOrder, RecordingPage } from "../http";

const GROUNDS = ["customer_request", "other"] as const;
const CHOICES = ["keep", "delete"] as const;

interface DeletionProps {
  page: RecordingPage;
  onClose: () => void;
  onDone: () => void;
}

/** Deletes a recording for good, after saying what goes, what stays, and what becomes of what was made of it. */
export function Deletion({ page, onClose, onDone }: DeletionProps) {
  const [order, setOrder] = useState<DeletionOrder>({ ground: "customer_request", reason: "", articles: "keep" });
  const [sure, setSure] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const { articles } = page.keeping;
  const hinted = useId();
  const erase = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      await post(at`/api/recordings/${page.session}/deletion`, { ...order, reason: order.reason.trim() });
      tell(t("deletion.done"));
      onDone();
      onClose();
    } catch (refused) {
      setError(refused);
      setBusy(false);
    }
  };
  return (
    <Dialog title={t("deletion.title")} onClose={onClose}>
      <form class="stack" onSubmit={(event) => void erase(event)}>
        <p>{t("deletion.goes", { files: page.segments.length, pictures: page.snapshots.length })}</p>
        <p class="muted">{t("deletion.stays")}</p>
        <fieldset class="stack tight">
          <legend class="field-name">{t("deletion.ground")}</legend>
          {GROUNDS.map((ground) => (
            <label key={ground} class="check">
              <input
                type="radio"
                name="ground"
                checked={order.ground === ground}
                onChange={() => setOrder({ ...order, ground })}
              />
              <span>{t(`deletion.ground.${ground}`)}</span>
            </label>
          ))}
        </fieldset>
        <label class="field">
          <span>{t("deletion.reason")}</span>
          <textarea
            required
            minLength={3}
            maxLength={1000}
            rows={2}
            aria-describedby={hinted}
            value={order.reason}
            onInput={(event) => setOrder({ ...order, reason: event.currentTarget.value })}
          />
          <small id={hinted}>{t("deletion.reason_hint")}</small>
        </label>
        {articles.length > 0 && (
          <fieldset class="stack tight">
            <legend class="field-name">{t("deletion.articles", { count: articles.length })}</legend>
            <ul class="small">
              {articles.map((article) => (
                <li key={article.id}>
                  {article.title}{" "}
                  <span class="muted">
                    ({t(article.state === "published" ? "library.state.published" : "library.state.draft")})
                  </span>
                </li>
              ))}
            </ul>
            {CHOICES.map((choice) => (
              <label key={choice} class="check">
                <input
                  type="radio"
                  name="articles"
                  checked={order.articles === choice}
                  onChange={() => setOrder({ ...order, articles: choice })}
                />
                <span>{t(`deletion.articles.${choice}`)}</span>
              </label>
            ))}
          </fieldset>
        )}
        <label class="check">
          <input type="checkbox" checked={sure} onChange={(event) => setSure(event.currentTarget.checked)} />
          <span>{t("deletion.sure")}</span>
        </label>
        <Decision
          action={t("deletion.delete")}
          error={error}
          busy={busy}
          disabled={!sure || order.reason.trim().length < 3}
          danger
          onCancel={onClose}
        />
      </form>
    </Dialog>
  );
}

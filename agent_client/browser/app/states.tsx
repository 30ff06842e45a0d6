import type { ComponentChildren } from "preact";
import { explain } from "./toasts";
import { t } from "./words";

/** What a page shows while it loads: grey lines where the words will be. */
export function Skeleton({ lines = 4 }: { lines?: number }) {
  return (
    <div class="stack" aria-busy="true">
      <span class="visually-hidden" role="status">
        {t("state.loading")}
      </span>
      {Array.from({ length: lines }, (_, index) => (
        <div key={index} class="skeleton" style={{ width: `${90 - ((index * 23) % 40)}%`, height: "1.5rem" }} />
      ))}
    </div>
  );
}

/** What an empty list says: what it is for, and what to do first. */
export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <h2>{title}</h2>
      {children}
    </div>
  );
}

/** What a page says when it could not be loaded. */
export function Failure({ error, retry }: { error: unknown; retry: () => void }) {
  return (
    <div class="empty" role="alert">
      <p>{explain(error)}</p>
      <button type="button" class="button" onClick={retry}>
        {t("action.retry")}
      </button>
    </div>
  );
}

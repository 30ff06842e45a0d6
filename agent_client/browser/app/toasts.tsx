import { signal } from "@preact/signals";
import { ApiError } from "./api";
import { Icon } from "./icon";
import { isWord, t } from "./words";

interface Toast {
  number: number;
  text: string;
  grave: boolean;
}

const LASTS_MS = 6_000;
const shown = signal<readonly Toast[]>([]);
let count = 0;

function dismiss(number: number): void {
  shown.value = shown.value.filter((toast) => toast.number !== number);
}

function show(text: string, grave: boolean): void {
  count += 1;
  const number = count;
  shown.value = [...shown.value.slice(-3), { number, text, grave }];
  // What went wrong stays until it is put away: it may have to be read out to somebody.
  if (!grave) window.setTimeout(() => dismiss(number), LASTS_MS);
}

/** Says in passing that something was done. */
export const tell = (text: string): void => show(text, false);

/** What a refusal means, by its stable code: the server's own `text` is in English, and better than nothing. */
export function problem(code: string, text: string): string {
  const known = `problem.${code}`;
  if (isWord(known)) return t(known);
  return text === "" ? t("error.unexpected") : text;
}

/** The words for an error: what happened, what to do, and an id to quote. */
export function explain(error: unknown): string {
  if (!(error instanceof ApiError)) return t("error.unexpected");
  if (error.code === "unreachable") return t("error.unreachable");
  const text = problem(error.code, error.message);
  return error.id === null ? text : `${text} ${t("error.id", { id: error.id })}`;
}

/** Says that something failed, in the words of `explain`. */
export const complain = (error: unknown): void => show(explain(error), true);
export const complainThat = (text: string): void => show(text, true);

export function Toasts() {
  return (
    <div class="toasts">
      <div role="status" aria-live="polite">
        {shown.value.filter((toast) => !toast.grave).map(line)}
      </div>
      <div role="alert">{shown.value.filter((toast) => toast.grave).map(line)}</div>
    </div>
  );
}

function line(toast: Toast) {
  return (
    <p key={toast.number} class="toast">
      {toast.grave && <Icon name="warning" />}
      <span class="grow">{toast.text}</span>
      <button type="button" aria-label={t("action.dismiss")} onClick={() => dismiss(toast.number)}>
        <Icon name="close" />
      </button>
    </p>
  );
}

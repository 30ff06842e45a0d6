import { useEffect, useState } from "preact/hooks";
import { Icon } from "./icon";
import { complainThat } from "./toasts";
import { t } from "./words";

const SAID_FOR_MS = 2_000;

/** The older way works where the page has no secure origin, and so no clipboard. */
function copyBySelection(text: string): boolean {
  const field = document.createElement("textarea");
  field.value = text;
  field.className = "visually-hidden";
  // Inside an open dialog only what is in the dialog can be selected.
  (document.querySelector("dialog[open]") ?? document.body).append(field);
  field.select();
  const copied = document.execCommand("copy");
  field.remove();
  return copied;
}

async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text);
  }
}

/** Copies a text, and says so in its own place. */
export function CopyButton({ text, label, primary = false }: { text: string; label?: string; primary?: boolean }) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return undefined;
    const timer = window.setTimeout(() => setCopied(false), SAID_FOR_MS);
    return () => window.clearTimeout(timer);
  }, [copied]);
  const press = async (): Promise<void> => {
    if (await copy(text)) setCopied(true);
    else complainThat(t("copy.failed"));
  };
  return (
    <button type="button" class={primary ? "button primary" : "button"} onClick={() => void press()}>
      <Icon name={copied ? "check" : "copy"} />
      <span role="status">{copied ? t("copy.done") : (label ?? t("copy.copy"))}</span>
    </button>
  );
}

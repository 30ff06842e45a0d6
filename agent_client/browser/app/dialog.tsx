import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { Icon } from "./icon";
import { explain } from "./toasts";
import { t } from "./words";

interface DialogProps {
  title: string;
  onClose: () => void;
  children: ComponentChildren;
  wide?: boolean;
}

/** A modal dialog: Escape closes it, focus stays inside and goes back to where it came from. */
export function Dialog({ title, onClose, children, wide = false }: DialogProps) {
  const element = useRef<HTMLDialogElement>(null);
  const heading = useId();
  useEffect(() => {
    const before = document.activeElement;
    const dialog = element.current;
    dialog?.showModal();
    return () => {
      dialog?.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={element}
      class={wide ? "large" : undefined}
      aria-labelledby={heading}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
    >
      <header>
        <h2 id={heading}>{title}</h2>
        <button type="button" class="button quiet icon" aria-label={t("action.close")} onClick={onClose}>
          <Icon name="close" />
        </button>
      </header>
      {children}
    </dialog>
  );
}

interface DecisionProps {
  /** What is done, in words. */
  action: string;
  error?: unknown;
  busy?: boolean;
  disabled?: boolean;
  danger?: boolean;
  /** Without it the form around is submitted. */
  onAct?: () => void;
  onCancel: () => void;
}

/** How a dialog ends: what went wrong, and the choice between doing it and leaving it. */
export function Decision({ action, error = null, busy, disabled, danger, onAct, onCancel }: DecisionProps) {
  return (
    <>
      {error !== null && (
        <p class="banner danger" role="alert">
          {explain(error)}
        </p>
      )}
      <footer>
        <button type="button" class="button" onClick={onCancel}>
          {t("action.cancel")}
        </button>
        <button
          type={onAct ? "button" : "submit"}
          class={danger ? "button danger" : "button primary"}
          aria-busy={busy}
          disabled={busy || disabled}
          onClick={onAct}
        >
          {action}
        </button>
      </footer>
    </>
  );
}

import { useRef, useState } from "preact/hooks";
import type { Outcome } from "../../../signaling/browser/messages";
import { Dialog } from "../app/dialog";
import { t } from "../app/words";
import type { LiveSession } from "./live_session";

const OUTCOMES: readonly Outcome[] = ["solved", "unsolved", "escalated", "abandoned"];

/** How it ended, in five seconds: arrow keys choose, Enter ends. */
export function EndingDialog({ live, onClose }: { live: LiveSession; onClose: () => void }) {
  const [outcome, setOutcome] = useState<Outcome>("solved");
  const [note, setNote] = useState("");
  const [busy, setBusy] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const end = async (): Promise<void> => {
    if (busy) return;
    setBusy(true);
    const noted = note.trim() === "" || (await live.command({ type: "add_note", text: note.trim() }));
    if (noted && (await live.end(outcome))) onClose();
    else setBusy(false);
  };
  return (
    <Dialog title={t("ending.title")} onClose={onClose}>
      <form
        ref={form}
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          void end();
        }}
      >
        <fieldset class="outcomes">
          <legend class="visually-hidden">{t("ending.outcome")}</legend>
          {OUTCOMES.map((one) => (
            <label key={one} class="check">
              <input
                type="radio"
                name="outcome"
                value={one}
                checked={outcome === one}
                autofocus={one === "solved"}
                onChange={() => setOutcome(one)}
              />
              <span>{t(`outcome.${one}`)}</span>
            </label>
          ))}
        </fieldset>
        <label class="field">
          <span>{t("ending.note")}</span>
          <textarea
            rows={2}
            maxlength={2000}
            value={note}
            onInput={(event) => setNote(event.currentTarget.value)}
            onKeyDown={(event) => {
              if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.current?.requestSubmit();
            }}
          />
        </label>
        <footer>
          <button type="button" class="button" onClick={onClose}>
            {t("ending.stay")}
          </button>
          <button type="submit" class="button danger" aria-busy={busy}>
            {t("ending.submit")}
          </button>
        </footer>
      </form>
    </Dialog>
  );
}

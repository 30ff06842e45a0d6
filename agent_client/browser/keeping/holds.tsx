import { useId, useState } from "preact/hooks";
import { may } from "../app/account";
import { at, post } from "../app/api";
import { Decision, Dialog } from "../app/dialog";
import { tell } from "../app/toasts";
import { moment, t, type Word } from "../app/words";
import type { Hold } from "../http";

interface ReasonProps {
  label: Word;
  hint: Word;
  submit: Word;
  danger?: boolean;
  send: (reason: string) => Promise<void>;
  onCancel: () => void;
}

/** Asks why, and does it; what is written here stays. */
export function ReasonForm({ label, hint, submit, danger = false, send, onCancel }: ReasonProps) {
  const [reason, setReason] = useState("");
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const hinted = useId();
  const go = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      await send(reason.trim());
    } catch (refused) {
      setError(refused);
      setBusy(false);
    }
  };
  return (
    <form class="stack" onSubmit={(event) => void go(event)}>
      <label class="field">
        <span>{t(label)}</span>
        <textarea
          required
          minLength={3}
          maxLength={1000}
          rows={2}
          aria-describedby={hinted}
          value={reason}
          onInput={(event) => setReason(event.currentTarget.value)}
        />
        <small id={hinted}>{t(hint)}</small>
      </label>
      <Decision
        action={t(submit)}
        error={error}
        busy={busy}
        disabled={reason.trim().length < 3}
        danger={danger}
        onCancel={onCancel}
      />
    </form>
  );
}

interface PlacingProps {
  /** Where holds are posted: those of a recording, or those of a ticket. */
  path: string;
  whole: boolean;
  onClose: () => void;
  onDone: () => void;
}

/** Puts a legal hold on a recording, or on all of a ticket's. */
export function HoldPlacing({ path, whole, onClose, onDone }: PlacingProps) {
  const send = async (reason: string): Promise<void> => {
    await post(path, { reason });
    tell(t("hold.placed"));
    onDone();
    onClose();
  };
  return (
    <Dialog title={t("hold.place_title")} onClose={onClose}>
      <div class="stack">
        <p>{t(whole ? "hold.about_ticket" : "hold.about_recording")}</p>
        <ReasonForm label="hold.reason" hint="hold.reason_hint" submit="hold.place" send={send} onCancel={onClose} />
      </div>
    </Dialog>
  );
}

/** Ends a legal hold. */
export function HoldReleasing({ hold, onClose, onDone }: { hold: Hold; onClose: () => void; onDone: () => void }) {
  const send = async (reason: string): Promise<void> => {
    await post(at`/api/holds/${hold.id}/release`, { reason });
    tell(t("hold.released"));
    onDone();
    onClose();
  };
  return (
    <Dialog title={t("hold.release_title")} onClose={onClose}>
      <div class="stack">
        <p>{t("hold.about_release")}</p>
        <ReasonForm
          label="hold.release_reason"
          hint="hold.reason_hint"
          submit="hold.release"
          send={send}
          onCancel={onClose}
        />
      </div>
    </Dialog>
  );
}

/** A hold in words, with the way out of it for who may. */
export function HoldCard({ hold, onDone }: { hold: Hold; onDone: () => void }) {
  const [releasing, setReleasing] = useState(false);
  return (
    <div class="hold stack tight">
      <p class="said">{hold.reason}</p>
      <p class="small muted">
        {t("hold.by", { name: hold.placed_by, moment: moment(hold.placed_at) })}
        {hold.ticket !== null && ` · ${t("hold.whole_ticket")}`}
      </p>
      {may("recording.hold") && (
        <p>
          <button type="button" class="button small" onClick={() => setReleasing(true)}>
            {t("hold.release")}
          </button>
        </p>
      )}
      {releasing && <HoldReleasing hold={hold} onClose={() => setReleasing(false)} onDone={onDone} />}
    </div>
  );
}

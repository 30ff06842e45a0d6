import { useState } from "preact/hooks";
import { at, post } from "../app/api";
import { Decision, Dialog } from "../app/dialog";
import { navigate } from "../app/router";
import { complain } from "../app/toasts";
import { t } from "../app/words";
import type { SessionStarted } from "../http";
import { InvitationCard, remember } from "./invitation";

interface Props {
  ticket: string;
  onClose: () => void;
}

/** First whether to ask for a recording, then the invitation to give to the customer. */
export function StartSessionDialog({ ticket, onClose }: Props) {
  const [session, setSession] = useState<string | null>(null);
  const [recorded, setRecorded] = useState(true);
  const [strict, setStrict] = useState<boolean | null>(null);
  const [busy, setBusy] = useState(false);
  const start = async (): Promise<void> => {
    if (busy) return;
    setBusy(true);
    try {
      const started = await post<SessionStarted>(at`/api/tickets/${ticket}/sessions`, {
        ask_recording: recorded,
        strict_recording: strict,
      });
      remember(started.session, started.invitation);
      setSession(started.session);
    } catch (error) {
      complain(error);
    } finally {
      setBusy(false);
    }
  };
  if (session === null) {
    return (
      <Dialog title={t("start.title")} onClose={onClose}>
        <form
          class="stack"
          onSubmit={(event) => {
            event.preventDefault();
            void start();
          }}
        >
          <p>{t("start.text")}</p>
          <label class="switch">
            <input
              type="checkbox"
              role="switch"
              checked={recorded}
              aria-checked={recorded}
              onChange={(event) => setRecorded(event.currentTarget.checked)}
            />
            <span>
              {t("start.ask_recording")}
              <br />
              <small class="muted">{t("start.ask_recording_hint")}</small>
            </span>
          </label>
          {recorded && (
            <label>
              {t("start.when_recording_fails")}
              <select
                value={strict === null ? "" : String(strict)}
                onChange={({ currentTarget: { value } }) => setStrict(value === "" ? null : value === "true")}
              >
                <option value="">{t("start.as_set_up")}</option>
                <option value="false">{t("start.go_on")}</option>
                <option value="true">{t("start.pause")}</option>
              </select>
            </label>
          )}
          <Decision action={t("start.submit")} busy={busy} onCancel={onClose} />
        </form>
      </Dialog>
    );
  }
  return (
    <Dialog title={t("start.invite")} onClose={onClose} wide>
      <div class="stack">
        <p>{t("start.invite_text")}</p>
        <InvitationCard session={session} aside />
        <footer>
          <button type="button" class="button primary" onClick={() => navigate(`/sessions/${session}`)}>
            {t("start.open")}
          </button>
        </footer>
      </div>
    </Dialog>
  );
}

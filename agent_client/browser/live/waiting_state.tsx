import { Icon } from "../app/icon";
import { t, type Word } from "../app/words";
import { InvitationCard } from "../console/invitation";
import type { LiveSession } from "./live_session";

/** What is being waited for; null when the picture is there. */
export function awaited(live: LiveSession): { title: Word; text: Word } | null {
  const { phase, surface, consents } = live.session.value;
  switch (phase) {
    case "waiting":
      return { title: "await.customer", text: "await.customer_text" };
    case "joined":
      return consents.view === "refused"
        ? { title: "await.refused", text: "await.refused_text" }
        : { title: "await.stopped", text: "await.stopped_text" };
    case "consent_asked":
      return consents.view === "given"
        ? { title: "await.choice", text: "await.choice_text" }
        : { title: "await.consent", text: "await.consent_text" };
    case "sharing":
    case "paused":
      if (surface?.kind === "picture") {
        return live.shown.value?.id === surface.id ? { title: "await.upload", text: "await.upload_text" } : null;
      }
      return live.track.value === null && live.tiles.value === null
        ? { title: "await.picture", text: "await.picture_text" }
        : null;
    default:
      return null;
  }
}

/** In place of the picture, until it comes: exactly what is being waited for, and what can be done about it. */
export function WaitingState({ live }: { live: LiveSession }) {
  const state = awaited(live);
  if (state === null) return null;
  const { phase } = live.session.value;
  const name = live.customer.value?.name || live.summary.customer_name || t("live.customer");
  const askAgain = phase === "joined";
  return (
    <div class="awaiting">
      <div class="stack center">
        {!askAgain && <span class="spinner" aria-hidden="true" />}
        <div role="status" class="stack tight">
          <h2>{t(state.title, { name })}</h2>
          <p class="muted">{t(state.text, { name })}</p>
        </div>
        {askAgain && (
          <button
            type="button"
            class="button primary"
            onClick={() => void live.command({ type: "ask_consent", scope: "view" })}
          >
            <Icon name="screen" />
            {t("await.ask_again")}
          </button>
        )}
        {phase === "waiting" && live.summary.mine && (
          <div class="card awaiting-invitation">
            <InvitationCard session={live.id} />
          </div>
        )}
      </div>
    </div>
  );
}

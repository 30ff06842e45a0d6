import { useState } from "preact/hooks";
import { Icon } from "../app/icon";
import { t, type Word } from "../app/words";
import type { LiveSession } from "./live_session";

const PRESS: Readonly<Record<"off" | "opening" | "on" | "muted", Word>> = {
  off: "talk.speak",
  opening: "talk.speak",
  on: "talk.mute",
  muted: "talk.unmute",
};

/** Whether one can talk, who is heard, and the way to change it: an agent may ask, the customer alone allows. */
export function Talking({ live }: { live: LiveSession }) {
  const { consents, phase } = live.session.value;
  const possible = phase === "consent_asked" || (live.seen.value && !live.pictures.value);
  if (!possible) return null;
  if (consents.voice === "given") return <Both live={live} />;
  return (
    <>
      {consents.voice !== undefined && (
        <span class="badge" role="status">
          <Icon name="microphone" />
          {t(consents.voice === "asked" ? "talk.asked" : "talk.refused")}
        </span>
      )}
      {consents.voice !== "asked" && <Ask live={live} />}
    </>
  );
}

function Ask({ live }: { live: LiveSession }) {
  const [busy, setBusy] = useState(false);
  const ask = async (): Promise<void> => {
    if (busy) return;
    setBusy(true);
    await live.voice.press();
    setBusy(false);
  };
  return (
    <button
      type="button"
      class="button small"
      aria-busy={busy}
      title={`${t("talk.ask_hint")} (Shift M)`}
      aria-keyshortcuts="Shift+M"
      onClick={() => void ask()}
    >
      <Icon name="microphone" />
      {t("talk.ask")}
    </button>
  );
}

/** The customer's voice, with how loud it is, and one's own microphone. */
function Both({ live }: { live: LiveSession }) {
  const { voice } = live;
  const own = voice.microphone.value;
  const name = live.customer.value?.name || live.summary.customer_name || t("live.customer");
  return (
    <>
      <span class="badge accent" role="status" title={t("talk.heard", { name })}>
        <span class="bars" aria-hidden="true" data-level={voice.level.value}>
          {[1, 2, 3].map((bar) => (
            <span key={bar} class={bar <= voice.level.value ? "bar full" : "bar"} />
          ))}
        </span>
        {t("talk.on")}
        <span class="visually-hidden">{t("talk.heard", { name })}</span>
      </span>
      <button
        type="button"
        class={own === "off" ? "button small primary" : "button small"}
        aria-busy={own === "opening"}
        title={`${t(PRESS[own])} (Shift M)`}
        aria-keyshortcuts="Shift+M"
        onClick={() => void voice.press()}
      >
        <Icon name={own === "muted" ? "microphone-off" : "microphone"} />
        {t(PRESS[own])}
      </button>
    </>
  );
}

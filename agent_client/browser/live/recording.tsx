import { useState } from "preact/hooks";
import { Icon } from "../app/icon";
import { t } from "../app/words";
import type { LiveSession } from "./live_session";

/** Whether the session is recorded, and the way to change it: an agent may ask and stop, the customer alone allows. */
export function Recording({ live }: { live: LiveSession }) {
  const [busy, setBusy] = useState(false);
  const { recording } = live.session.value;
  const send = async (command: Parameters<LiveSession["command"]>[0]): Promise<void> => {
    if (busy) return;
    setBusy(true);
    await live.command(command);
    setBusy(false);
  };
  const video = live.seen.value && !live.pictures.value;
  return (
    <>
      <State live={live} />
      {recording === "on" && (
        <button
          type="button"
          class="button small"
          aria-busy={busy}
          title={t("recording.stop_hint")}
          onClick={() => void send({ type: "stop_recording" })}
        >
          <Icon name="stop" />
          {t("recording.stop")}
        </button>
      )}
      {video && (recording === "off" || recording === "refused") && (
        <button
          type="button"
          class="button small"
          aria-busy={busy}
          title={t("recording.ask_hint")}
          onClick={() => void send({ type: "ask_consent", scope: "record" })}
        >
          <Icon name="record" />
          {t("recording.ask")}
        </button>
      )}
    </>
  );
}

function State({ live }: { live: LiveSession }) {
  const { recording, recordingFailed, askRecording } = live.session.value;
  if (recording === "on" && recordingFailed !== null) {
    return (
      <span class="badge danger" role="status">
        <Icon name="warning" />
        {t("recording.failed")}
      </span>
    );
  }
  if (recording === "on") {
    return (
      <span class="badge danger" role="status">
        <span class="dot live" aria-hidden="true" />
        {t("recording.on")}
      </span>
    );
  }
  if (recording === "off" && !askRecording) return null;
  return (
    <span class="badge" role="status">
      {t(`recording.${recording}`)}
    </span>
  );
}

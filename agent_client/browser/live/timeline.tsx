import type { Event } from "../../../signaling/browser/messages";
import { momentOf } from "../../../signaling/browser/session";
import { clock, t } from "../app/words";
import type { LiveSession } from "./live_session";

/** What an event says to a person; null for those that tell nothing here. */
function sentence(event: Event, name: (id: string) => string): string | null {
  const body = event.body;
  const who = name(event.actor);
  switch (body.type) {
    case "session_opened":
      return t("event.opened");
    case "agent_assigned":
      return t("event.assigned", { name: body.name });
    case "joined":
      return body.role === "recorder" ? null : t("event.joined", { name: name(body.participant) });
    case "left":
      return t("event.left", { name: name(body.participant) });
    case "consent_asked":
      return t(`event.asked.${body.scope}`);
    case "consent_given":
      return t(`event.given.${body.scope}`);
    case "consent_refused":
      return t(`event.refused.${body.scope}`);
    case "consent_withdrawn":
      return t(`event.withdrawn.${body.scope}`);
    case "sharing_started":
      return t("event.sharing_started", { kind: t(`surface.${body.surface.kind}`) });
    case "sharing_paused":
      return t("event.sharing_paused");
    case "sharing_resumed":
      return t("event.sharing_resumed");
    case "sharing_stopped":
      return t("event.sharing_stopped");
    case "snapshot_taken":
      return t("event.snapshot", { name: body.requested_by === null ? who : name(body.requested_by) });
    case "surface_shown":
      return body.surface === null ? t("event.unfrozen") : t("event.shown");
    case "annotation_added":
      return t("event.drew", { name: who });
    case "chat_said":
      return t("event.said", { name: who, text: body.text });
    case "note_added":
      return t("event.noted", { text: body.text });
    case "bookmark_added":
      return t("event.bookmark", { title: body.title });
    case "path_changed":
      return t(`event.path.${body.path}`);
    case "recording_started":
      return t("event.recording_started");
    case "recording_stopped":
      return t("event.recording_stopped");
    case "recording_failed":
      return t("event.recording_failed");
    case "recording_restored":
      return t("event.recording_restored");
    case "session_ended":
      return t("event.ended");
    default:
      return null;
  }
}

interface Entry {
  seq: number;
  at: number;
  text: string;
  times: number;
}

/** The same thing several times in a row is one entry. */
function entries(events: readonly Event[], name: (id: string) => string): Entry[] {
  const found: Entry[] = [];
  for (const event of events) {
    const text = sentence(event, name);
    if (text === null) continue;
    const last = found.at(-1);
    if (last?.text === text) last.times += 1;
    else found.push({ seq: event.seq, at: momentOf(event), text, times: 1 });
  }
  return found;
}

export function Timeline({ live }: { live: LiveSession }) {
  const { openedAt } = live.session.value;
  const list = entries(live.events.value, (id) => live.nameOf(id));
  return (
    <div class="panel-scroll">
      <ol class="timeline">
        {list.toReversed().map((entry) => (
          <li key={entry.seq}>
            <span class="number muted small">{clock(entry.at - (openedAt ?? entry.at))}</span>
            <span>
              {entry.text}
              {entry.times > 1 && <span class="muted"> ×{entry.times}</span>}
            </span>
          </li>
        ))}
      </ol>
    </div>
  );
}

import { hour, t } from "../app/words";
import { Composer } from "./composer";
import type { LiveSession } from "./live_session";

/** Notes among staff: the customer never gets them. */
export function Notes({ live }: { live: LiveSession }) {
  const { notes } = live.session.value;
  return (
    <>
      <div class="panel-scroll stack tight">
        <p class="small muted">{t("notes.private")}</p>
        <ol class="lines">
          {notes.map((note) => (
            <li key={note.seq} class="card flat note">
              <p class="small muted">
                {live.nameOf(note.author)} · {hour(note.at)}
              </p>
              <p class="said">{note.text}</p>
            </li>
          ))}
        </ol>
      </div>
      <Composer
        label={t("notes.write")}
        submit={t("notes.add")}
        send={(text) => live.command({ type: "add_note", text })}
        disabled={live.ended.value}
      />
    </>
  );
}

import { useState } from "preact/hooks";
import { may } from "../app/account";
import { at } from "../app/api";
import { Dialog } from "../app/dialog";
import { Link } from "../app/router";
import { day, t } from "../app/words";
import type { Keeping, RecordingPage } from "../http";
import { clockText } from "../review/film";
import { Deletion } from "./deletion";
import { HoldCard, HoldPlacing } from "./holds";
import "./keeping.css";

/** For how long, and by which rule. */
export function keptWords({ holds, until, days, class_name }: Keeping): string {
  if (holds.length > 0) return t("keeping.held", { class: class_name });
  if (until !== null) return t("keeping.until", { day: day(until), class: class_name });
  return t(days === null ? "keeping.for_ever" : "keeping.still_open", { class: class_name });
}

interface KeepingProps {
  page: RecordingPage;
  onClose: () => void;
  reload: () => void;
}

/** How long a recording is kept, what holds it, and how it is deleted. */
export function KeepingDialog({ page, onClose, reload }: KeepingProps) {
  const [asked, setAsked] = useState<"hold" | "delete" | null>(null);
  const { keeping, session } = page;
  if (asked === "delete") return <Deletion page={page} onClose={onClose} onDone={reload} />;
  if (asked === "hold") {
    return <HoldPlacing path={at`/api/recordings/${session}/holds`} whole={false} onClose={onClose} onDone={reload} />;
  }
  return (
    <Dialog title={t("keeping.title")} onClose={onClose}>
      <div class="stack">
        <p>{keptWords(keeping)}</p>
        {page.ticket !== null && (
          <p class="small muted">
            {t("keeping.by_class")} <Link to={`/tickets/${page.ticket}`}>{t("keeping.change_class")}</Link>
          </p>
        )}
        <section class="stack tight" aria-labelledby="holds">
          <h3 id="holds">{t("hold.title")}</h3>
          {keeping.holds.length === 0 && <p class="muted">{t("hold.none")}</p>}
          {keeping.holds.map((hold) => (
            <HoldCard key={hold.id} hold={hold} onDone={reload} />
          ))}
        </section>
        {page.ended_at === null && <p class="small muted">{t("keeping.live")}</p>}
        {keeping.holds.length > 0 && may("recording.delete") && <p class="small muted">{t("keeping.release_first")}</p>}
        <footer>
          {may("recording.delete") && (
            <button
              type="button"
              class="button quiet danger"
              disabled={page.ended_at === null || keeping.holds.length > 0}
              onClick={() => setAsked("delete")}
            >
              {t("keeping.delete")}
            </button>
          )}
          {may("recording.hold") && (
            <button type="button" class="button" onClick={() => setAsked("hold")}>
              {t("hold.place")}
            </button>
          )}
        </footer>
      </div>
    </Dialog>
  );
}

/** The files of a recording, to be kept elsewhere; each download goes into the audit log. */
export function Downloads({ page, onClose }: { page: RecordingPage; onClose: () => void }) {
  const name = (id: string): string =>
    page.participants.find((one) => one.id === id)?.name || page.customer_name || t("live.customer");
  const files = page.segments.filter((segment) => !segment.missing);
  return (
    <Dialog title={t("download.title")} onClose={onClose}>
      <div class="stack">
        <p class="muted">{t("download.logged")}</p>
        {page.ended_at !== null && (
          <div class="stack tight">
            <p>
              <a class="button primary" href={at`/api/recordings/${page.session}/export`} download>
                {t("download.export")}
              </a>
            </p>
            <p class="small muted">{t("download.export_about")}</p>
          </div>
        )}
        <h3>{t("download.files")}</h3>
        {files.length === 0 && <p class="muted">{t("download.none")}</p>}
        <ul class="rows">
          {files.map((segment, index) => (
            <li key={segment.id} class="item">
              <span class="grow">
                {t(segment.codec === "OPUS" ? "download.voice" : "download.picture", {
                  number: index + 1,
                  name: name(segment.participant),
                })}{" "}
                <span class="small muted number">
                  {clockText(segment.duration_ms)} · {segment.codec}
                </span>
              </span>
              <a
                class="button small"
                href={at`/api/recordings/${page.session}/segments/${segment.id}?download=1`}
                download
              >
                {t("download.save")}
              </a>
            </li>
          ))}
        </ul>
      </div>
    </Dialog>
  );
}

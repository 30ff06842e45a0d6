import { useState } from "preact/hooks";
import { may } from "../app/account";
import { at, get, remove } from "../app/api";
import { Decision, Dialog } from "../app/dialog";
import { useResource } from "../app/resource";
import { Link, type PageProps } from "../app/router";
import { Failure, Skeleton } from "../app/states";
import { tell } from "../app/toasts";
import { moment, t } from "../app/words";
import type { Hold, TicketClass, Tombstone } from "../http";
import { deletedWords, Proof } from "../keeping/gravestone";
import { HoldReleasing } from "../keeping/holds";
import { ClassForm } from "./class_form";
import "../keeping/keeping.css";
import "./administration.css";

/** How long recordings are kept, what is held, and what was deleted. */
export function RetentionPage(_: PageProps) {
  return (
    <div class="page stack loose administration">
      <header>
        <h1>{t("retention.title")}</h1>
        <p class="muted">{t("retention.lead")}</p>
      </header>
      {may("retention.admin") && <Classes />}
      <Holds />
      <Tombstones />
    </div>
  );
}

function Classes() {
  const { data, error, reload } = useResource<TicketClass[]>(
    "ticket-classes",
    () => get<TicketClass[]>("/api/ticket-classes"),
    ["retention"],
  );
  const [edited, setEdited] = useState<TicketClass | "new" | null>(null);
  const [dropped, setDropped] = useState<TicketClass | null>(null);
  return (
    <section class="stack" aria-labelledby="classes">
      <header class="spread">
        <h2 id="classes">{t("retention.classes")}</h2>
        <button type="button" class="button primary" onClick={() => setEdited("new")}>
          {t("retention.add")}
        </button>
      </header>
      {error !== null && data === null && <Failure error={error} retry={reload} />}
      {error === null && data === null && <Skeleton lines={2} />}
      {data !== null && (
        <ul class="rows classes">
          {data.map((one) => (
            <li key={one.id} class="item user">
              <span class="grow">
                <span class="user-name">
                  {one.name} {one.standard && <span class="badge">{t("retention.standard")}</span>}
                </span>
                <span class="muted small">
                  {one.days === null ? t("retention.for_ever") : t("retention.days", { count: one.days })} ·{" "}
                  {t("retention.counted", { tickets: one.tickets, recordings: one.recordings })}
                </span>
                {one.due > 0 && <span class="small">{t("retention.due", { count: one.due })}</span>}
              </span>
              <button
                type="button"
                class="button small"
                aria-label={`${t("action.edit")}: ${one.name}`}
                onClick={() => setEdited(one)}
              >
                {t("action.edit")}
              </button>
              {!one.standard && (
                <button
                  type="button"
                  class="button small quiet danger"
                  aria-label={`${t("action.delete")}: ${one.name}`}
                  onClick={() => setDropped(one)}
                >
                  {t("action.delete")}
                </button>
              )}
            </li>
          ))}
        </ul>
      )}
      {edited !== null && (
        <ClassForm edited={edited === "new" ? null : edited} onClose={() => setEdited(null)} onSaved={reload} />
      )}
      {dropped !== null && <Dropping dropped={dropped} onClose={() => setDropped(null)} onDone={reload} />}
    </section>
  );
}

function Dropping({ dropped, onClose, onDone }: { dropped: TicketClass; onClose: () => void; onDone: () => void }) {
  const [error, setError] = useState<unknown>(null);
  const drop = async (): Promise<void> => {
    try {
      await remove(at`/api/ticket-classes/${dropped.id}`);
      tell(t("retention.dropped", { name: dropped.name }));
      onDone();
      onClose();
    } catch (refused) {
      setError(refused);
    }
  };
  return (
    <Dialog title={t("retention.drop_title", { name: dropped.name })} onClose={onClose}>
      <div class="stack">
        <p>{t("retention.drop_words", { count: dropped.tickets })}</p>
        <Decision action={t("action.delete")} error={error} danger onAct={() => void drop()} onCancel={onClose} />
      </div>
    </Dialog>
  );
}

function Holds() {
  const topics = ["retention", "session:", "ticket:"];
  const { data, error, reload } = useResource<Hold[]>("holds", () => get<Hold[]>("/api/holds"), topics);
  const [releasing, setReleasing] = useState<Hold | null>(null);
  return (
    <section class="stack" aria-labelledby="held">
      <h2 id="held">{t("hold.title")}</h2>
      {error !== null && data === null && <Failure error={error} retry={reload} />}
      {error === null && data === null && <Skeleton lines={2} />}
      {data?.length === 0 && <p class="muted">{t("retention.no_holds")}</p>}
      {data !== null && data.length > 0 && (
        <ul class="rows">
          {data.map((hold) => (
            <li key={hold.id} class="item user">
              <span class="grow">
                <span class="user-name">
                  <Link to={hold.session === null ? `/tickets/${hold.ticket}` : `/library/${hold.session}`}>
                    {hold.subject}
                  </Link>{" "}
                  {hold.ticket !== null && <span class="badge">{t("hold.whole_ticket")}</span>}
                </span>
                <span>{hold.reason}</span>
                <span class="muted small">
                  {t("hold.by", { name: hold.placed_by, moment: moment(hold.placed_at) })}
                  {hold.released_at !== null &&
                    ` · ${t("hold.released_by", {
                      name: hold.released_by ?? "",
                      moment: moment(hold.released_at),
                      reason: hold.release_reason ?? "",
                    })}`}
                </span>
              </span>
              {hold.released_at === null ? (
                <button
                  type="button"
                  class="button small"
                  aria-label={`${t("hold.release")}: ${hold.subject}`}
                  onClick={() => setReleasing(hold)}
                >
                  {t("hold.release")}
                </button>
              ) : (
                <span class="badge">{t("hold.over")}</span>
              )}
            </li>
          ))}
        </ul>
      )}
      {releasing !== null && <HoldReleasing hold={releasing} onClose={() => setReleasing(null)} onDone={reload} />}
    </section>
  );
}

function Tombstones() {
  const { data, error, reload } = useResource<Tombstone[]>("tombstones", () => get<Tombstone[]>("/api/tombstones"), [
    "retention",
  ]);
  return (
    <section class="stack" aria-labelledby="tombstones">
      <header class="spread">
        <h2 id="tombstones">{t("retention.deleted")}</h2>
        {data !== null && data.length > 0 && (
          <a class="button" href="/api/tombstones/export" download>
            {t("retention.export")}
          </a>
        )}
      </header>
      {error !== null && data === null && <Failure error={error} retry={reload} />}
      {error === null && data === null && <Skeleton lines={2} />}
      {data?.length === 0 && <p class="muted">{t("retention.none_deleted")}</p>}
      {data !== null && data.length > 0 && (
        <ul class="rows">
          {data.map((stone) => (
            <li key={stone.session} class="item user">
              <span class="grow">
                <span class="user-name">
                  <Link to={`/library/${stone.session}`}>{stone.subject}</Link>
                </span>
                <span>{deletedWords(stone)}</span>
                {stone.reason !== "" && <span class="small">{stone.reason}</span>}
                <Proof stone={stone} />
              </span>
              <a
                class="button small"
                href={at`/api/tombstones/${stone.session}`}
                download
                aria-label={`${t("tombstone.download")}: ${stone.subject}`}
              >
                {t("tombstone.download")}
              </a>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

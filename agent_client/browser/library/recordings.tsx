import { useEffect, useState } from "preact/hooks";
import { get } from "../app/api";
import { useResource } from "../app/resource";
import { Link, navigate, type PageProps, query } from "../app/router";
import { Empty, Failure, Skeleton } from "../app/states";
import { moment as dateText, day, t } from "../app/words";
import type { RecordingList, RecordingSummary } from "../http";
import { clockText } from "../review/film";
import { Search } from "./search";
import "./library.css";

/** Every recorded session, the newest first, found by customer, agent, subject or ticket. */
export function LibraryPage(_: PageProps) {
  const wanted = query.value.get("q") ?? "";
  const { data, error, reload } = useResource<RecordingList>(
    `recordings:${wanted}`,
    () => get<RecordingList>(`/api/recordings?q=${encodeURIComponent(wanted)}`),
    ["session:"],
  );
  // The list of the search before stays until the next one is there, so that nothing jumps while one types.
  const [shown, setShown] = useState<RecordingList | null>(null);
  useEffect(() => {
    if (data !== null) setShown(data);
  }, [data]);
  const search = (q: string): void => navigate(q === "" ? "/library" : `/library?q=${encodeURIComponent(q)}`, true);
  return (
    <div class="page stack library">
      <header class="spread">
        <h1>{t("library.title")}</h1>
        <Search label={t("library.search")} value={wanted} onSearch={search} />
      </header>
      {error !== null && shown === null && <Failure error={error} retry={reload} />}
      {error === null && shown === null && <Skeleton lines={5} />}
      {shown !== null && <Recordings list={shown} wanted={wanted} />}
    </div>
  );
}

function Recordings({ list, wanted }: { list: RecordingList; wanted: string }) {
  if (list.recordings.length === 0) {
    return wanted === "" ? (
      <Empty title={t("library.empty_title")}>
        <p>{t("library.empty")}</p>
        <Link class="button primary" to="/tickets">
          {t("library.empty_action")}
        </Link>
      </Empty>
    ) : (
      <Empty title={t("library.not_found_title", { query: wanted })}>
        <p>{t("library.not_found")}</p>
        <Link class="button" to="/library">
          {t("library.show_all")}
        </Link>
      </Empty>
    );
  }
  return (
    <>
      <p class="visually-hidden" role="status">
        {t("library.found", { count: list.recordings.length })}
      </p>
      <ul class="rows recordings">
        {list.recordings.map((recording) => (
          <li key={recording.session}>
            <Row recording={recording} />
          </li>
        ))}
      </ul>
      {list.more && <p class="muted">{t("library.more")}</p>}
    </>
  );
}

function Row({ recording }: { recording: RecordingSummary }) {
  const { subject, customer_name, agent_name, ticket_number, bookmarks, published, deleted_at } = recording;
  return (
    <Link class="item recording" to={`/library/${recording.session}`}>
      <span class="recording-length number">{deleted_at === null ? clockText(recording.duration_ms) : "–"}</span>
      <span class="grow">
        <span class="recording-subject">{subject}</span>
        <span class="muted small">
          {t("library.with", {
            customer: customer_name || t("live.customer"),
            agent: agent_name ?? t("library.nobody"),
          })}
          {ticket_number !== null && ` · ${t("library.ticket", { number: String(ticket_number) })}`}
        </span>
      </span>
      <span class="recording-state row tight">
        {recording.ended_at === null && (
          <span class="badge danger">
            <span class="dot live" aria-hidden="true" />
            {t("library.running")}
          </span>
        )}
        {deleted_at !== null && <span class="badge">{t("library.deleted_badge", { day: day(deleted_at) })}</span>}
        {recording.held && <span class="badge strong">{t("hold.badge")}</span>}
        {bookmarks > 0 && <span class="badge">{t("library.bookmarks", { count: bookmarks })}</span>}
        {published > 0 && <span class="badge accent">{t("library.published", { count: published })}</span>}
      </span>
      <time class="muted small number recording-date" dateTime={new Date(recording.created_at).toISOString()}>
        {dateText(recording.created_at)}
      </time>
    </Link>
  );
}

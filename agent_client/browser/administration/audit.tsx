import { useEffect, useState } from "preact/hooks";
import { get } from "../app/api";
import { useResource } from "../app/resource";
import { Link, navigate, type PageProps, query } from "../app/router";
import { Empty, Failure, Skeleton } from "../app/states";
import { complain } from "../app/toasts";
import { isWord, moment, t } from "../app/words";
import type { AuditEntry, AuditPage as Log } from "../http";
import "./administration.css";

const FILTERS = ["who", "action", "about", "since", "until"] as const;
type Filter = (typeof FILTERS)[number];

/** What was done, in words; an action that the dictionaries do not know is shown as it is stored. */
export const actionWord = (action: string): string => {
  const known = `audit.action.${action}`;
  return isWord(known) ? t(known) : action;
};

/** The day in a date field as ms since 1970, in the reader's own time; `until` means its end. */
function timeOf(day: string, end: boolean): string {
  const [year, month, date] = day.split("-").map(Number);
  if (year === undefined || month === undefined || date === undefined) return "";
  return String(new Date(year, month - 1, date + (end ? 1 : 0)).getTime());
}

function asked(wanted: URLSearchParams): string {
  const sent = new URLSearchParams();
  for (const filter of FILTERS) {
    const value = wanted.get(filter) ?? "";
    if (value === "") continue;
    sent.set(filter, filter === "since" || filter === "until" ? timeOf(value, filter === "until") : value);
  }
  return sent.toString();
}

/** Who did what to what, and from where: for administrators and auditors. */
export function AuditPage(_: PageProps) {
  const wanted = query.value;
  const sent = asked(wanted);
  const { data, error, reload } = useResource<Log>(`audit:${sent}`, () => get<Log>(`/api/audit?${sent}`));
  const [more, setMore] = useState<Log | null>(null);
  useEffect(() => setMore(null), [data]);
  const choose = (filter: Filter, value: string): void => {
    const next = new URLSearchParams(wanted);
    if (value === "") next.delete(filter);
    else next.set(filter, value);
    navigate(`/audit?${next}`, true);
  };
  const following = more ?? data;
  const goOn = (): void => {
    if (following?.next == null || data === null) return;
    get<Log>(`/api/audit?${sent}&next=${encodeURIComponent(following.next)}`).then(
      (page) => setMore({ ...page, entries: [...(more?.entries ?? []), ...page.entries] }),
      complain,
    );
  };
  return (
    <div class="page stack administration">
      <header class="spread">
        <h1>{t("audit.title")}</h1>
        <a class="button" href={`/api/audit/export?${sent}`} download>
          {t("audit.export")}
        </a>
      </header>
      <p class="muted">{t("audit.lead")}</p>
      <Filters wanted={wanted} actions={data?.actions ?? []} choose={choose} />
      {error !== null && data === null && <Failure error={error} retry={reload} />}
      {error === null && data === null && <Skeleton lines={6} />}
      {data !== null && data.entries.length === 0 && (
        <Empty title={t("audit.none_title")}>
          <p>{t("audit.none")}</p>
          <Link class="button" to="/audit">
            {t("library.show_all")}
          </Link>
        </Empty>
      )}
      {data !== null && data.entries.length > 0 && (
        <>
          <Entries entries={[...data.entries, ...(more?.entries ?? [])]} />
          {following?.next != null && (
            <p>
              <button type="button" class="button" onClick={goOn}>
                {t("audit.more")}
              </button>
            </p>
          )}
        </>
      )}
    </div>
  );
}

interface FiltersProps {
  wanted: URLSearchParams;
  actions: readonly string[];
  choose: (filter: Filter, value: string) => void;
}

function Filters({ wanted, actions, choose }: FiltersProps) {
  const value = (filter: Filter): string => wanted.get(filter) ?? "";
  const words = (filter: "who" | "about") => (
    <label class="field">
      <span>{t(`audit.filter.${filter}`)}</span>
      <input
        type="search"
        maxLength={100}
        value={value(filter)}
        onChange={(event) => choose(filter, event.currentTarget.value)}
      />
    </label>
  );
  const day = (filter: "since" | "until") => (
    <label class="field">
      <span>{t(`audit.filter.${filter}`)}</span>
      <input type="date" value={value(filter)} onChange={(event) => choose(filter, event.currentTarget.value)} />
    </label>
  );
  return (
    <search class="audit-filters">
      {words("who")}
      <label class="field">
        <span>{t("audit.filter.action")}</span>
        <select value={value("action")} onChange={(event) => choose("action", event.currentTarget.value)}>
          <option value="">{t("tickets.any")}</option>
          {actions.map((action) => (
            <option key={action} value={action}>
              {actionWord(action)}
            </option>
          ))}
        </select>
      </label>
      {words("about")}
      {day("since")}
      {day("until")}
    </search>
  );
}

/** Where a thing of the log is looked at, or null when it has no page. */
function placeOf({ action, object, about }: AuditEntry): string | null {
  if (about === null) return null;
  const kind = action.split(".")[0];
  if (kind === "recording" || kind === "tombstones") return `/library/${object}`;
  if (kind === "ticket") return `/tickets/${object}`;
  return null;
}

/** Who asks for help, or uses an invitation, has no account. */
function nameOf({ user_name, action }: AuditEntry): string {
  return user_name ?? t(/^(help|invitation)\./.test(action) ? "audit.customer" : "audit.nobody");
}

function Entries({ entries }: { entries: readonly AuditEntry[] }) {
  return (
    <section class="table-scroll" aria-label={t("audit.title")}>
      <table class="table audit">
        <thead>
          <tr>
            <th scope="col">{t("audit.when")}</th>
            <th scope="col">{t("audit.filter.who")}</th>
            <th scope="col">{t("audit.filter.action")}</th>
            <th scope="col">{t("audit.filter.about")}</th>
            <th scope="col">{t("audit.from")}</th>
          </tr>
        </thead>
        <tbody>
          {entries.map((entry) => {
            const place = placeOf(entry);
            return (
              <tr key={entry.id}>
                <td class="number">
                  <time dateTime={new Date(entry.at).toISOString()}>{moment(entry.at)}</time>
                </td>
                <td>{nameOf(entry)}</td>
                <td>{actionWord(entry.action)}</td>
                <td class="audit-object">
                  {place === null ? (entry.about ?? "") : <Link to={place}>{entry.about ?? entry.object}</Link>}
                  {entry.about === null && <span class="mono small muted">{entry.object}</span>}
                </td>
                <td class="mono small muted">{entry.address}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </section>
  );
}

import { useEffect, useState } from "preact/hooks";
import { may } from "../app/account";
import { get } from "../app/api";
import { useClock } from "../app/clock";
import { Icon } from "../app/icon";
import { useKeys } from "../app/keys";
import { useResource } from "../app/resource";
import { Link, navigate, path, query } from "../app/router";
import { Empty, Failure, Skeleton } from "../app/states";
import { ago, t } from "../app/words";
import type { TicketList, TicketSummary } from "../http";
import { LiveBadge, PriorityLabel, STATUSES, StatusBadge, statusWord } from "./labels";
import { NewTicketDialog } from "./new_ticket";
import "./console.css";

const TYPED_FOR_MS = 200;

/** The address with some of its query changed; empty values go. */
function changed(values: Readonly<Record<string, string>>): string {
  const next = new URLSearchParams(query.value);
  for (const [name, value] of Object.entries(values)) {
    if (value === "") next.delete(name);
    else next.set(name, value);
  }
  const text = next.toString();
  return text === "" ? path.value : `${path.value}?${text}`;
}

function Search() {
  const wanted = query.value.get("q") ?? "";
  const [typed, setTyped] = useState(wanted);
  useEffect(() => setTyped(wanted), [wanted]);
  useEffect(() => {
    if (typed === wanted) return undefined;
    const timer = window.setTimeout(() => navigate(changed({ q: typed }), true), TYPED_FOR_MS);
    return () => window.clearTimeout(timer);
  }, [typed, wanted]);
  return (
    <label class="search">
      <span class="visually-hidden">{t("tickets.search")}</span>
      <Icon name="search" />
      <input
        type="search"
        placeholder={t("tickets.search")}
        value={typed}
        onInput={(event) => setTyped(event.currentTarget.value)}
        onKeyDown={(event) => event.key === "Escape" && event.currentTarget.blur()}
      />
    </label>
  );
}

function Filter() {
  const chosen = query.value.get("status") ?? "";
  return (
    <nav class="tabs" aria-label={t("tickets.filter")}>
      {["", ...STATUSES].map((status) => (
        <Link key={status} to={changed({ status })} aria-current={status === chosen ? "page" : undefined}>
          {status === "" ? t("tickets.any") : statusWord(STATUSES.find((one) => one === status) ?? "open")}
        </Link>
      ))}
    </nav>
  );
}

function Row({ ticket, now }: { ticket: TicketSummary; now: number }) {
  const to = `/tickets/${ticket.id}`;
  return (
    <tr>
      <td class="number muted">#{ticket.number}</td>
      <td class="title-cell">
        <Link to={to} class="row-link">
          {ticket.title}
        </Link>
        {ticket.live && <LiveBadge />}
      </td>
      <td>{ticket.customer_name || <span class="muted">–</span>}</td>
      <td>
        <StatusBadge status={ticket.status} />
      </td>
      <td>
        <PriorityLabel priority={ticket.priority} />
      </td>
      <td class="muted">{ticket.owner_name ?? t("ticket.nobody")}</td>
      <td class="muted">{ago(ticket.updated_at, now)}</td>
    </tr>
  );
}

function Table({ list }: { list: TicketList }) {
  const now = useClock();
  return (
    <div class="scroll-x">
      <table class="table tickets">
        <thead>
          <tr>
            <th scope="col">{t("tickets.number")}</th>
            <th scope="col">{t("field.title")}</th>
            <th scope="col">{t("field.customer")}</th>
            <th scope="col">{t("field.status")}</th>
            <th scope="col">{t("field.priority")}</th>
            <th scope="col">{t("field.owner")}</th>
            <th scope="col">{t("field.updated")}</th>
          </tr>
        </thead>
        <tbody>
          {list.tickets.map((ticket) => (
            <Row key={ticket.id} ticket={ticket} now={now} />
          ))}
        </tbody>
      </table>
      {list.more && <p class="muted">{t("tickets.more")}</p>}
    </div>
  );
}

function NoTickets({ mine }: { mine: boolean }) {
  const narrowed = query.value.get("q") !== null || query.value.get("status") !== null;
  if (narrowed) {
    return (
      <Empty title={t("tickets.none_found")}>
        <p>{t("tickets.none_found_text")}</p>
        <Link to={path.value} class="button">
          {t("tickets.show_all")}
        </Link>
      </Empty>
    );
  }
  return (
    <Empty title={mine ? t("tickets.none_mine") : t("tickets.none")}>
      <p>{mine ? t("tickets.none_mine_text") : t("tickets.none_text")}</p>
    </Empty>
  );
}

function Tickets({ mine }: { mine: boolean }) {
  const asked = new URLSearchParams();
  for (const name of ["status", "q"]) asked.set(name, query.value.get(name) ?? "");
  if (mine) asked.set("mine", "true");
  const key = asked.toString();
  const tickets = useResource(key, () => get<TicketList>(`/api/tickets?${key}`), ["ticket:"]);
  const mayMake = may("ticket.write");
  const making = mayMake && query.value.get("new") !== null;
  const make = (): void => navigate(changed({ new: "1" }));
  useKeys(mayMake ? [{ keys: "c", label: "tickets.new", run: make }] : [], [mayMake]);
  return (
    <div class="page stack">
      <header class="spread">
        <h1>{mine ? t("place.my_tickets") : t("place.tickets")}</h1>
        {mayMake && (
          <button type="button" class="button primary" onClick={make}>
            <Icon name="plus" />
            {t("tickets.new")}
          </button>
        )}
      </header>
      <div class="spread filters">
        <Filter />
        <Search />
      </div>
      {tickets.error !== null && <Failure error={tickets.error} retry={tickets.reload} />}
      {tickets.loading && tickets.data === null && <Skeleton lines={6} />}
      {tickets.data !== null &&
        (tickets.data.tickets.length === 0 ? <NoTickets mine={mine} /> : <Table list={tickets.data} />)}
      {making && <NewTicketDialog onClose={() => navigate(changed({ new: "" }), true)} />}
    </div>
  );
}

export const TicketsPage = () => <Tickets mine={false} />;
export const MyTicketsPage = () => <Tickets mine={true} />;

import { at, get } from "../app/api";
import { useResource } from "../app/resource";
import { Link } from "../app/router";
import { Failure, Skeleton } from "../app/states";
import { t } from "../app/words";
import { priorityWord, statusWord } from "../console/labels";
import { Said } from "../console/said";
import type { TicketPage as Ticket } from "../http";
import type { LiveSession } from "./live_session";

/** Who is on the other side, and what about. */
export function Customer({ live }: { live: LiveSession }) {
  const id = live.summary.ticket;
  if (id === null) return <p class="panel-scroll muted">{t("customer.no_ticket")}</p>;
  return <WithTicket id={id} />;
}

function WithTicket({ id }: { id: string }) {
  const ticket = useResource(id, () => get<Ticket>(at`/api/tickets/${id}`), [`ticket:${id}`]);
  if (ticket.data === null) {
    return (
      <div class="panel-scroll">
        {ticket.error === null ? <Skeleton /> : <Failure error={ticket.error} retry={ticket.reload} />}
      </div>
    );
  }
  const { customer_name, customer_email, number, title, status, priority, problem, notes } = ticket.data;
  return (
    <div class="panel-scroll stack">
      <div class="row nowrap">
        <span class="avatar" aria-hidden="true">
          {(customer_name || "?").slice(0, 1)}
        </span>
        <div class="grow">
          <p>{customer_name || t("ticket.no_customer")}</p>
          {customer_email !== "" && (
            <a class="small" href={`mailto:${customer_email}`}>
              {customer_email}
            </a>
          )}
        </div>
      </div>
      <div class="stack tight">
        <p>
          <Link to={`/tickets/${id}`}>
            #{number} {title}
          </Link>
        </p>
        <p class="small muted">
          {statusWord(status)} · {priorityWord(priority)}
        </p>
        {problem !== "" && <p class="said">{problem}</p>}
      </div>
      {notes.length > 0 && (
        <ol class="lines">
          {notes.map((note) => (
            <li key={note.id} class="card flat note">
              <p class="small muted">{note.author_name ?? t("ticket.system")}</p>
              <Said text={note.text} />
            </li>
          ))}
        </ol>
      )}
    </div>
  );
}

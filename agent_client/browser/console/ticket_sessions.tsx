import { Icon } from "../app/icon";
import { Link } from "../app/router";
import { clock, day, moment, t } from "../app/words";
import type { TicketPage as Ticket, TicketSession } from "../http";
import { LiveBadge } from "./labels";

function Way({ session }: { session: TicketSession }) {
  if (session.ended_at === null) {
    return (
      <Link to={`/sessions/${session.id}`} class="button primary">
        {t("ticket.open_session")}
      </Link>
    );
  }
  if (session.deleted_at !== null) {
    return (
      <Link to={`/library/${session.id}`} class="small">
        {t("ticket.recording_deleted", { day: day(session.deleted_at) })}
      </Link>
    );
  }
  if (!session.recorded) return <span class="muted small">{t("ticket.not_recorded")}</span>;
  return (
    <Link to={`/library/${session.id}`} class="button">
      <Icon name="play" />
      {t("ticket.play")}
    </Link>
  );
}

export function SessionList({ ticket }: { ticket: Ticket }) {
  return (
    <section class="stack tight" aria-labelledby="sessions">
      <h2 id="sessions">{t("ticket.sessions")}</h2>
      {ticket.sessions.length === 0 && <p class="muted">{t("ticket.no_sessions")}</p>}
      <ul class="rows stack tight">
        {ticket.sessions.toReversed().map((session) => (
          <li key={session.id} class="card flat row session-row">
            <div class="grow">
              <p>
                {moment(session.created_at)} {session.ended_at === null && <LiveBadge />}
              </p>
              <p class="small muted">
                {session.owner_name ?? t("ticket.nobody")}
                {session.ended_at !== null && ` · ${clock(session.ended_at - session.created_at)}`}
              </p>
            </div>
            <Way session={session} />
          </li>
        ))}
      </ul>
    </section>
  );
}

export function SnapshotStrip({ ticket }: { ticket: Ticket }) {
  if (ticket.snapshots.length === 0) return null;
  return (
    <section class="stack tight" aria-labelledby="snapshots">
      <h2 id="snapshots">{t("ticket.snapshots")}</h2>
      <ul class="gallery">
        {ticket.snapshots.map((snapshot, index) => (
          <li key={snapshot.id}>
            <a href={snapshot.url} target="_blank" rel="noreferrer">
              <img
                src={snapshot.url}
                loading="lazy"
                width={snapshot.width}
                height={snapshot.height}
                alt={t("snapshots.alt", { number: index + 1 })}
              />
              <span class="small muted">{moment(snapshot.at)}</span>
            </a>
          </li>
        ))}
      </ul>
    </section>
  );
}

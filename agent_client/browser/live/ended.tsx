import { may } from "../app/account";
import { at, get } from "../app/api";
import { Icon } from "../app/icon";
import { useResource } from "../app/resource";
import { Link } from "../app/router";
import { clock, t } from "../app/words";
import type { TicketPage as Ticket } from "../http";

interface Props {
  session: string;
  ticket: string | null;
  customer: string;
  durationMs: number;
}

/** After the end: how long it took, and what was kept. */
export function Ended({ session, ticket, customer, durationMs }: Props) {
  const kept = useResource<Ticket | null>(
    `${session}/${ticket}`,
    () => (ticket === null ? Promise.resolve(null) : get<Ticket>(at`/api/tickets/${ticket}`)),
    [`ticket:${ticket}`, `session:${session}`],
  );
  const recorded = kept.data?.sessions.find((one) => one.id === session)?.recorded ?? false;
  const snapshots = kept.data?.snapshots.filter((one) => one.session === session) ?? [];
  return (
    <div class="ended page narrow stack">
      <h1>{t("ended.title")}</h1>
      <p class="lead" role="status">
        {t("ended.text", { name: customer || t("live.customer"), time: clock(durationMs) })}
      </p>
      <ul class="stack tight plain">
        <li class="card flat row">
          <Icon name="play" />
          <span class="grow">{recorded ? t("ended.recorded") : t("ended.not_recorded")}</span>
          {recorded && (
            <Link to={`/library/${session}`} class="button">
              {t("ended.play")}
            </Link>
          )}
        </li>
        <li class="card flat stack tight">
          <span class="row">
            <Icon name="camera" />
            {t("ended.snapshots", { count: snapshots.length })}
          </span>
          {snapshots.length > 0 && (
            <ul class="gallery">
              {snapshots.map((snapshot, index) => (
                <li key={snapshot.id}>
                  <a href={snapshot.url} target="_blank" rel="noreferrer">
                    <img
                      src={snapshot.url}
                      width={snapshot.width}
                      height={snapshot.height}
                      alt={t("snapshots.alt", { number: index + 1 })}
                    />
                  </a>
                </li>
              ))}
            </ul>
          )}
        </li>
      </ul>
      <p class="row">
        {ticket !== null && (
          <Link to={`/tickets/${ticket}`} class="button primary">
            {t("ended.ticket")}
          </Link>
        )}
        {may("waiting.read") && (
          <Link to="/waiting" class="button">
            {t("ended.next")}
          </Link>
        )}
      </p>
    </div>
  );
}

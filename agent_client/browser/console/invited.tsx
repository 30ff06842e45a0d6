import { may, whoAmI } from "../app/account";
import { get } from "../app/api";
import { useResource } from "../app/resource";
import { Link } from "../app/router";
import { moment, t } from "../app/words";
import type { InvitedSession } from "../http";

/** The sessions of others that one was let into; nothing when there are none. */
export function InvitedSessions() {
  const me = whoAmI();
  const mayJoin = me !== null && may("session.start");
  const load = async (): Promise<InvitedSession[]> => (mayJoin ? get<InvitedSession[]>("/api/invited-sessions") : []);
  // A session that ends goes from the list, and says so as any session does.
  const invited = useResource(me?.id ?? "", load, [`user:${me?.id}`, "session:"]);
  if (invited.data === null || invited.data.length === 0) return null;
  return (
    <section class="stack tight" aria-labelledby="invited">
      <h2 id="invited">{t("invited.title")}</h2>
      <ul class="rows stack tight">
        {invited.data.map((one) => (
          <li key={one.session} class="card flat row session-row">
            <div class="grow">
              <p>
                {one.ticket_number !== null && <span class="number muted">#{one.ticket_number} </span>}
                {one.subject}
              </p>
              <p class="small muted">
                {one.customer_name !== "" && `${one.customer_name} · `}
                {t("invited.by", { name: one.owner_name, moment: moment(one.added_at) })}
              </p>
            </div>
            <Link to={`/sessions/${one.session}`} class="button primary">
              {t("ticket.open_session")}
              <span class="visually-hidden">: {one.subject}</span>
            </Link>
          </li>
        ))}
      </ul>
    </section>
  );
}

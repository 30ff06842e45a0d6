import { useState } from "preact/hooks";
import { present } from "../../../signaling/browser/session";
import { useClock } from "../app/clock";
import { Dialog } from "../app/dialog";
import { Icon } from "../app/icon";
import { Link } from "../app/router";
import { clock, t } from "../app/words";
import { InvitationCard } from "../console/invitation";
import { ColleaguesDialog } from "./colleagues";
import { ConnectionBadge } from "./connection_badge";
import { Controlling } from "./controlling";
import { EndingDialog } from "./ending";
import type { LiveSession } from "./live_session";
import { Recording } from "./recording";
import { Talking } from "./talking";

function Running({ live }: { live: LiveSession }) {
  useClock();
  const { openedAt } = live.session.value;
  if (openedAt === null) return null;
  return (
    <span class="badge" title={t("live.running")}>
      <span class="visually-hidden">{t("live.running")}</span>
      {clock(live.now() - openedAt)}
    </span>
  );
}

/** Who else is here; whose link is down at the moment is marked. */
function People({ live }: { live: LiveSession }) {
  const others = present(live.session.value, "customer", "agent").filter((one) => one.id !== live.me.value);
  return (
    <ul class="people" aria-label={t("live.people")}>
      {others.map((person) => {
        const away = live.isAway(person.id);
        return (
          <li key={person.id} class={away ? "badge away" : "badge"}>
            <Icon name={person.role === "customer" ? "person" : "people"} />
            <span class="clip">{person.name || t("live.customer")}</span>
            {away && ` · ${t("live.away")}`}
          </li>
        );
      })}
    </ul>
  );
}

export function TopBar({ live }: { live: LiveSession }) {
  const [opened, setOpened] = useState<"invitation" | "colleagues" | "ending" | null>(null);
  const { summary } = live;
  const close = (): void => setOpened(null);
  const name = live.customer.value?.name || summary.customer_name || t("live.customer");
  return (
    <header class="top-bar">
      <div class="top-title">
        <h1 class="clip">{name}</h1>
        {summary.ticket !== null && (
          <Link to={`/tickets/${summary.ticket}`} class="clip small">
            {summary.ticket_number !== null && `#${summary.ticket_number} `}
            {summary.subject}
          </Link>
        )}
      </div>
      <div class="top-state">
        <Running live={live} />
        <People live={live} />
        <Recording live={live} />
        <Talking live={live} />
        <Controlling live={live} />
        {!live.pictures.value && <ConnectionBadge live={live} />}
      </div>
      <div class="top-actions">
        {summary.mine && (
          <>
            <button type="button" class="button" title={t("colleagues.title")} onClick={() => setOpened("colleagues")}>
              <Icon name="people" />
              <span class="wide-only">{t("colleagues.open")}</span>
            </button>
            <button type="button" class="button" title={t("live.invitation")} onClick={() => setOpened("invitation")}>
              <Icon name="link" />
              <span class="wide-only">{t("live.invitation")}</span>
            </button>
          </>
        )}
        <button type="button" class="button danger" onClick={() => setOpened("ending")}>
          {t("live.end")}
        </button>
      </div>
      {opened === "colleagues" && <ColleaguesDialog session={live.id} onClose={close} />}
      {opened === "invitation" && (
        <Dialog title={t("live.invitation")} onClose={close} wide>
          <InvitationCard session={live.id} />
        </Dialog>
      )}
      {opened === "ending" && <EndingDialog live={live} onClose={close} />}
    </header>
  );
}

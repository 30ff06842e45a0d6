import { useState } from "preact/hooks";
import { may } from "../app/account";
import { at, get } from "../app/api";
import { useResource } from "../app/resource";
import { t } from "../app/words";
import type { ClassChoice, TicketPage as Ticket } from "../http";
import { HoldCard, HoldPlacing } from "../keeping/holds";
import type { Change } from "./ticket";
import "../keeping/keeping.css";

/** For how long what is recorded of this ticket is kept: its class, and the holds on it. */
export function KeepingCard({ ticket, change, reload }: { ticket: Ticket; change: Change; reload: () => void }) {
  const { data } = useResource<ClassChoice[]>("classes", () => get<ClassChoice[]>("/api/ticket-classes/choices"), [
    "retention",
  ]);
  const [placing, setPlacing] = useState(false);
  const named = (one: ClassChoice): string =>
    one.days === null
      ? t("ticket.class_for_ever", { name: one.name })
      : t("ticket.class_days", { name: one.name, count: one.days });
  const chosen = ticket.class_id ?? data?.find((one) => one.standard)?.id ?? "";
  return (
    <div class="card stack tight">
      <h2 class="small-heading">{t("ticket.keeping")}</h2>
      <label class="field">
        <span class="visually-hidden">{t("ticket.class")}</span>
        <select
          value={chosen}
          disabled={!may("ticket.write") || data === null}
          onChange={(event) => void change({ class_id: event.currentTarget.value })}
        >
          {data?.map((one) => (
            <option key={one.id} value={one.id}>
              {named(one)}
            </option>
          ))}
        </select>
      </label>
      {ticket.holds.map((hold) => (
        <div key={hold.id} class="stack tight">
          <p>
            <span class="badge strong">{t("hold.badge")}</span>
          </p>
          <HoldCard hold={hold} onDone={reload} />
        </div>
      ))}
      {may("recording.hold") && (
        <button type="button" class="button" onClick={() => setPlacing(true)}>
          {t("hold.place")}
        </button>
      )}
      {placing && (
        <HoldPlacing
          path={at`/api/tickets/${ticket.id}/holds`}
          whole
          onClose={() => setPlacing(false)}
          onDone={reload}
        />
      )}
    </div>
  );
}

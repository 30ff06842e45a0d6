import { useRef, useState } from "preact/hooks";
import { may, whoAmI } from "../app/account";
import { at, get, patch, post } from "../app/api";
import { Icon } from "../app/icon";
import { useKeys } from "../app/keys";
import { useResource } from "../app/resource";
import { Link, type PageProps } from "../app/router";
import { Failure, Skeleton } from "../app/states";
import { complain, tell } from "../app/toasts";
import { moment, t } from "../app/words";
import type { TicketPage as Ticket, TicketChange } from "../http";
import { PRIORITIES, priorityWord, STATUSES, statusWord } from "./labels";
import { Said } from "./said";
import { StartSessionDialog } from "./start_session";
import { CustomerCard, EditTicketDialog } from "./ticket_details";
import { KeepingCard } from "./ticket_keeping";
import { SessionList, SnapshotStrip } from "./ticket_sessions";
import "./console.css";

const UNCHANGED: TicketChange = {
  title: null,
  problem: null,
  status: null,
  priority: null,
  customer_name: null,
  customer_email: null,
  owner_id: null,
  class_id: null,
};

export type Change = (values: Partial<TicketChange>) => Promise<void>;

function Head({ ticket, change, edit }: { ticket: Ticket; change: Change; edit: () => void }) {
  const fixed = !may("ticket.write");
  return (
    <header class="stack tight">
      <p class="muted">
        <Link to="/tickets">{t("place.tickets")}</Link> <span aria-hidden="true">/</span>{" "}
        <span class="number">#{ticket.number}</span>
      </p>
      <h1>{ticket.title}</h1>
      <div class="row">
        <label class="inline-field">
          <span class="small muted">{t("field.status")}</span>
          <select
            value={ticket.status}
            disabled={fixed}
            onChange={(event) => {
              const status = STATUSES.find((one) => one === event.currentTarget.value);
              if (status !== undefined) void change({ status });
            }}
          >
            {STATUSES.map((one) => (
              <option key={one} value={one}>
                {statusWord(one)}
              </option>
            ))}
          </select>
        </label>
        <label class="inline-field">
          <span class="small muted">{t("field.priority")}</span>
          <select
            value={ticket.priority}
            disabled={fixed}
            onChange={(event) => {
              const priority = PRIORITIES.find((one) => one === event.currentTarget.value);
              if (priority !== undefined) void change({ priority });
            }}
          >
            {PRIORITIES.map((one) => (
              <option key={one} value={one}>
                {priorityWord(one)}
              </option>
            ))}
          </select>
        </label>
        {!fixed && (
          <button type="button" class="button quiet" onClick={edit}>
            <Icon name="pen" />
            {t("ticket.edit")}
          </button>
        )}
      </div>
    </header>
  );
}

function Notes({ ticket, reload }: { ticket: Ticket; reload: () => void }) {
  const [text, setText] = useState("");
  const [busy, setBusy] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const add = async (): Promise<void> => {
    if (text.trim() === "" || busy) return;
    setBusy(true);
    try {
      await post(at`/api/tickets/${ticket.id}/notes`, { text: text.trim() });
      setText("");
      reload();
    } catch (error) {
      complain(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <section class="stack" aria-labelledby="notes">
      <h2 id="notes">{t("ticket.notes")}</h2>
      {ticket.notes.length === 0 && <p class="muted">{t("ticket.no_notes")}</p>}
      <ol class="rows stack tight">
        {ticket.notes.map((note) => (
          <li key={note.id} class="card flat note">
            <p class="small muted">
              {note.author_name ?? t("ticket.system")} · {moment(note.at)}
            </p>
            <Said text={note.text} />
          </li>
        ))}
      </ol>
      {may("ticket.write") && (
        <form
          ref={form}
          class="stack tight"
          onSubmit={(event) => {
            event.preventDefault();
            void add();
          }}
        >
          <label class="field">
            <span class="visually-hidden">{t("ticket.new_note")}</span>
            <textarea
              rows={2}
              maxlength={8000}
              placeholder={t("ticket.new_note")}
              value={text}
              onInput={(event) => setText(event.currentTarget.value)}
              onKeyDown={(event) => {
                if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.current?.requestSubmit();
              }}
            />
          </label>
          <p>
            <button type="submit" class="button" aria-busy={busy} disabled={text.trim() === ""}>
              {t("ticket.add_note")}
            </button>
          </p>
        </form>
      )}
    </section>
  );
}

function Page({ ticket, reload }: { ticket: Ticket; reload: () => void }) {
  const [opened, setOpened] = useState<"start" | "edit" | null>(null);
  const change: Change = async (values) => {
    try {
      await patch(at`/api/tickets/${ticket.id}`, { ...UNCHANGED, ...values });
      tell(t("ticket.saved"));
    } catch (error) {
      complain(error);
    }
    reload();
  };
  const mayStart = may("session.start");
  useKeys(mayStart ? [{ keys: "s", label: "ticket.start", run: () => setOpened("start") }] : [], [mayStart]);
  return (
    <div class="page ticket-page">
      <div class="spread ticket-head">
        <Head ticket={ticket} change={change} edit={() => setOpened("edit")} />
        {mayStart && (
          <button type="button" class="button primary large" onClick={() => setOpened("start")}>
            <Icon name="screen" />
            {t("ticket.start")}
          </button>
        )}
      </div>
      <div class="stack loose">
        <section class="stack tight" aria-labelledby="problem">
          <h2 id="problem">{t("field.problem")}</h2>
          <p class={ticket.problem === "" ? "muted" : "said"}>{ticket.problem || t("ticket.no_problem")}</p>
        </section>
        <SessionList ticket={ticket} />
        <SnapshotStrip ticket={ticket} />
        <Notes ticket={ticket} reload={reload} />
      </div>
      <aside class="stack">
        <CustomerCard ticket={ticket} />
        <div class="card stack tight">
          <h2 class="small-heading">{t("field.owner")}</h2>
          <p>{ticket.owner_name ?? t("ticket.nobody")}</p>
          {may("ticket.write") && ticket.owner_id !== whoAmI()?.id && (
            <button type="button" class="button" onClick={() => void change({ owner_id: whoAmI()?.id ?? null })}>
              {t("ticket.take")}
            </button>
          )}
          <p class="small muted">{t("ticket.created", { moment: moment(ticket.created_at) })}</p>
        </div>
        <KeepingCard ticket={ticket} change={change} reload={reload} />
      </aside>
      {opened === "start" && (
        <StartSessionDialog
          ticket={ticket.id}
          onClose={() => {
            setOpened(null);
            reload();
          }}
        />
      )}
      {opened === "edit" && <EditTicketDialog ticket={ticket} change={change} onClose={() => setOpened(null)} />}
    </div>
  );
}

export function TicketPage({ params }: PageProps) {
  const id = params.id ?? "";
  const ticket = useResource(id, () => get<Ticket>(at`/api/tickets/${id}`), [`ticket:${id}`]);
  if (ticket.data !== null) return <Page ticket={ticket.data} reload={ticket.reload} />;
  if (ticket.error !== null) return <Failure error={ticket.error} retry={ticket.reload} />;
  return (
    <div class="page">
      <Skeleton lines={6} />
    </div>
  );
}

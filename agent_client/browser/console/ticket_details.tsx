import { useRef, useState } from "preact/hooks";
import { Decision, Dialog } from "../app/dialog";
import { t } from "../app/words";
import type { TicketPage as Ticket } from "../http";
import type { Change } from "./ticket";

export function CustomerCard({ ticket }: { ticket: Ticket }) {
  const nobody = ticket.customer_name === "" && ticket.customer_email === "";
  return (
    <div class="card stack tight">
      <h2 class="small-heading">{t("field.customer")}</h2>
      {nobody && <p class="muted">{t("ticket.no_customer")}</p>}
      {!nobody && (
        <div class="row nowrap">
          <span class="avatar" aria-hidden="true">
            {(ticket.customer_name || ticket.customer_email).slice(0, 1)}
          </span>
          <div class="grow">
            <p>{ticket.customer_name}</p>
            {ticket.customer_email !== "" && (
              <a class="small" href={`mailto:${ticket.customer_email}`}>
                {ticket.customer_email}
              </a>
            )}
          </div>
        </div>
      )}
    </div>
  );
}

export function EditTicketDialog({ ticket, change, onClose }: { ticket: Ticket; change: Change; onClose: () => void }) {
  const form = useRef<HTMLFormElement>(null);
  const [busy, setBusy] = useState(false);
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    if (form.current === null || busy) return;
    setBusy(true);
    const data = new FormData(form.current);
    const text = (name: string): string => String(data.get(name) ?? "").trim();
    await change({
      title: text("title"),
      problem: text("problem"),
      customer_name: text("customer_name"),
      customer_email: text("customer_email"),
    });
    onClose();
  };
  return (
    <Dialog title={t("ticket.edit")} onClose={onClose}>
      <form ref={form} class="stack" onSubmit={(event) => void submit(event)}>
        <label class="field">
          <span>{t("field.title")}</span>
          <input name="title" required maxlength={200} value={ticket.title} />
        </label>
        <label class="field">
          <span>{t("field.problem")}</span>
          <textarea name="problem" maxlength={4000} rows={4}>
            {ticket.problem}
          </textarea>
        </label>
        <div class="two">
          <label class="field">
            <span>{t("field.customer_name")}</span>
            <input name="customer_name" maxlength={100} value={ticket.customer_name} autocomplete="off" />
          </label>
          <label class="field">
            <span>{t("field.customer_email")}</span>
            <input
              name="customer_email"
              type="email"
              maxlength={254}
              value={ticket.customer_email}
              autocomplete="off"
            />
          </label>
        </div>
        <Decision action={t("action.save")} busy={busy} onCancel={onClose} />
      </form>
    </Dialog>
  );
}

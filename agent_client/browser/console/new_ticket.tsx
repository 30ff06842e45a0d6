import { useRef, useState } from "preact/hooks";
import { post } from "../app/api";
import { Decision, Dialog } from "../app/dialog";
import { navigate } from "../app/router";
import { t } from "../app/words";
import type { NewTicket, TicketPage } from "../http";
import { PRIORITIES, priorityWord } from "./labels";

function read(form: HTMLFormElement): NewTicket {
  const data = new FormData(form);
  const text = (name: string): string => String(data.get(name) ?? "").trim();
  return {
    title: text("title"),
    problem: text("problem"),
    priority: PRIORITIES.find((one) => one === text("priority")) ?? "normal",
    customer_name: text("customer_name"),
    customer_email: text("customer_email"),
  };
}

export function NewTicketDialog({ onClose }: { onClose: () => void }) {
  const form = useRef<HTMLFormElement>(null);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    if (form.current === null || busy) return;
    setBusy(true);
    setError(null);
    try {
      const ticket = await post<TicketPage>("/api/tickets", read(form.current));
      navigate(`/tickets/${ticket.id}`);
    } catch (reason) {
      setError(reason);
      setBusy(false);
    }
  };
  return (
    <Dialog title={t("tickets.new")} onClose={onClose}>
      <form ref={form} class="stack" onSubmit={(event) => void submit(event)}>
        <label class="field">
          <span>{t("field.title")}</span>
          <input name="title" required maxlength={200} autofocus placeholder={t("new_ticket.title_example")} />
        </label>
        <label class="field">
          <span>{t("field.problem")}</span>
          <textarea name="problem" maxlength={4000} rows={3} />
        </label>
        <div class="two">
          <label class="field">
            <span>{t("field.customer_name")}</span>
            <input name="customer_name" maxlength={100} autocomplete="off" />
          </label>
          <label class="field">
            <span>{t("field.customer_email")}</span>
            <input name="customer_email" type="email" maxlength={254} autocomplete="off" />
          </label>
        </div>
        <label class="field">
          <span>{t("field.priority")}</span>
          <select name="priority">
            {PRIORITIES.map((one) => (
              <option key={one} value={one} selected={one === "normal"}>
                {priorityWord(one)}
              </option>
            ))}
          </select>
        </label>
        <Decision action={t("new_ticket.submit")} error={error} busy={busy} onCancel={onClose} />
      </form>
    </Dialog>
  );
}

import { useEffect, useState } from "preact/hooks";
import { at, get, patch, post } from "../app/api";
import { Decision, Dialog } from "../app/dialog";
import { tell } from "../app/toasts";
import { t } from "../app/words";
import type { ClassRule, DueRecordings, TicketClass } from "../http";

const DAYS_AT_FIRST = 90;

/** Says how long a class keeps recordings, and before it is saved what that would delete. */
export function ClassForm({
  edited,
  onClose,
  onSaved,
}: {
  edited: TicketClass | null;
  onClose: () => void;
  onSaved: () => void;
}) {
  const [name, setName] = useState(edited?.name ?? "");
  const [limited, setLimited] = useState(edited === null || edited.days !== null);
  const [days, setDays] = useState(String(edited?.days ?? DAYS_AT_FIRST));
  const [standard, setStandard] = useState(edited?.standard ?? false);
  const [due, setDue] = useState(0);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const wanted = limited && /^[1-9][0-9]{0,4}$/.test(days) ? Number(days) : null;
  useEffect(() => {
    let current = true;
    setDue(0);
    if (edited === null || wanted === null) return undefined;
    get<DueRecordings>(at`/api/ticket-classes/${edited.id}/due?days=${String(wanted)}`).then(
      (answer) => current && setDue(answer.due),
      () => undefined, // it is said again in the list; the rule can be saved without it
    );
    return () => {
      current = false;
    };
  }, [edited, wanted]);
  const save = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    const rule: ClassRule = { name: name.trim(), days: limited ? wanted : null, standard };
    try {
      if (edited === null) await post("/api/ticket-classes", rule);
      else await patch(at`/api/ticket-classes/${edited.id}`, rule);
      tell(t("retention.saved", { name: rule.name }));
      onSaved();
      onClose();
    } catch (refused) {
      setError(refused);
      setBusy(false);
    }
  };
  return (
    <Dialog title={t(edited === null ? "retention.add" : "retention.edit_title")} onClose={onClose}>
      <form class="stack" onSubmit={(event) => void save(event)}>
        <label class="field">
          <span>{t("retention.name")}</span>
          <input
            required
            maxLength={60}
            autoComplete="off"
            value={name}
            onInput={(event) => setName(event.currentTarget.value)}
          />
          <small>{t("retention.name_hint")}</small>
        </label>
        <fieldset class="stack tight">
          <legend class="field-name">{t("retention.kept")}</legend>
          <label class="check">
            <input type="radio" name="kept" checked={limited} onChange={() => setLimited(true)} />
            <span>{t("retention.limited")}</span>
          </label>
          <label class="check">
            <input type="radio" name="kept" checked={!limited} onChange={() => setLimited(false)} />
            <span>{t("retention.for_ever")}</span>
          </label>
        </fieldset>
        {limited && (
          <label class="field">
            <span>{t("retention.days_label")}</span>
            <input
              required
              type="number"
              min={1}
              max={36500}
              step={1}
              value={days}
              onInput={(event) => setDays(event.currentTarget.value)}
            />
            <small>{t("retention.days_hint")}</small>
          </label>
        )}
        <label class="check">
          <input
            type="checkbox"
            checked={standard}
            disabled={edited?.standard ?? false}
            onChange={(event) => setStandard(event.currentTarget.checked)}
          />
          <span>{t("retention.make_standard")}</span>
        </label>
        <p class={due > 0 ? "banner danger" : "visually-hidden"} role="status">
          {due > 0 && t("retention.would_delete", { count: due })}
        </p>
        <Decision
          action={t("action.save")}
          error={error}
          busy={busy}
          disabled={name.trim() === "" || (limited && wanted === null)}
          onCancel={onClose}
        />
      </form>
    </Dialog>
  );
}

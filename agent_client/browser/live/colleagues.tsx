import { useId, useState } from "preact/hooks";
import { at, get, post, remove } from "../app/api";
import { Dialog } from "../app/dialog";
import { matches } from "../app/palette";
import { useResource } from "../app/resource";
import { Failure, Skeleton } from "../app/states";
import { complain, tell } from "../app/toasts";
import { t, type Word } from "../app/words";
import type { Colleague, SessionColleagues } from "../http";

interface ListProps {
  label: Word;
  people: readonly Colleague[];
  /** What can be done about each of them, and its name when the person's follows. */
  action: Word;
  named: Word;
  busy: string | null;
  act: (person: Colleague) => void;
}

function List({ label, people, action, named, busy, act }: ListProps) {
  return (
    <ul class="rows stack tight" aria-label={t(label)}>
      {people.map((person) => (
        <li key={person.id} class="row nowrap">
          <span class="grow clip">
            {person.name} <span class="small muted">{person.email}</span>
          </span>
          <button
            type="button"
            class="button small"
            aria-busy={busy === person.id}
            aria-label={t(named, { name: person.name })}
            onClick={() => act(person)}
          >
            {t(action)}
          </button>
        </li>
      ))}
    </ul>
  );
}

/** Whom else the session's owner lets see the screen: who is in, and who could be. */
export function ColleaguesDialog({ session, onClose }: { session: string; onClose: () => void }) {
  const load = (): Promise<SessionColleagues> => get(at`/api/sessions/${session}/colleagues`);
  const { data, error, reload } = useResource(session, load, [`session:${session}`]);
  const [busy, setBusy] = useState<string | null>(null);
  const [query, setQuery] = useState("");
  const inside = useId();
  const work = async (person: Colleague, task: Promise<void>, done: Word): Promise<void> => {
    setBusy(person.id);
    try {
      await task;
      tell(t(done, { name: person.name }));
    } catch (refused) {
      complain(refused);
    } finally {
      setBusy(null);
      reload();
    }
  };
  const letIn = (person: Colleague): Promise<void> =>
    work(person, post(at`/api/sessions/${session}/colleagues`, { user: person.id }), "colleagues.added");
  const putOut = (person: Colleague): Promise<void> =>
    work(person, remove(at`/api/sessions/${session}/colleagues/${person.id}`), "colleagues.removed");
  const found = data?.others.filter(({ name, email }) => matches(`${name} ${email}`, query)) ?? [];
  return (
    <Dialog title={t("colleagues.title")} onClose={onClose}>
      <div class="stack">
        <p class="muted">{t("colleagues.text")}</p>
        {data === null && error !== null && <Failure error={error} retry={reload} />}
        {data === null && error === null && <Skeleton />}
        {data !== null && data.inside.length > 0 && (
          <section class="stack tight" aria-labelledby={inside}>
            <h3 id={inside}>{t("colleagues.inside")}</h3>
            <List
              label="colleagues.inside"
              people={data.inside}
              action="colleagues.remove"
              named="colleagues.remove_name"
              busy={busy}
              act={(person) => void putOut(person)}
            />
          </section>
        )}
        {data !== null && (
          <>
            <label class="field">
              <span>{t("colleagues.search")}</span>
              <input type="search" autofocus value={query} onInput={(event) => setQuery(event.currentTarget.value)} />
            </label>
            <div class="colleagues-found">
              <List
                label="colleagues.others"
                people={found}
                action="colleagues.add"
                named="colleagues.add_name"
                busy={busy}
                act={(person) => void letIn(person)}
              />
              <p role="status" class="muted">
                {found.length === 0 && t(data.others.length === 0 ? "colleagues.nobody" : "colleagues.none_found")}
              </p>
            </div>
          </>
        )}
      </div>
    </Dialog>
  );
}

import { useState } from "preact/hooks";
import { may, whoAmI } from "../app/account";
import { at, get, patch, post } from "../app/api";
import { Decision, Dialog } from "../app/dialog";
import { useResource } from "../app/resource";
import type { PageProps } from "../app/router";
import { Failure, Skeleton } from "../app/states";
import { complain, tell } from "../app/toasts";
import { t } from "../app/words";
import type { NewUser, UserChange, UserSummary } from "../http";
import "./administration.css";

const ROLES = ["agent", "trainer", "qa", "admin"] as const;
type Role = (typeof ROLES)[number];

const isRole = (value: string): value is Role => ROLES.some((role) => role === value);

/** Who may sign in, and as what. */
export function UsersPage(_: PageProps) {
  const { data, error, reload } = useResource<UserSummary[]>("users", () => get<UserSummary[]>("/api/users"));
  const [adding, setAdding] = useState(false);
  return (
    <div class="page stack administration">
      <header class="spread">
        <h1>{t("administration.title")}</h1>
        {may("user.admin") && (
          <button type="button" class="button primary" onClick={() => setAdding(true)}>
            {t("administration.add")}
          </button>
        )}
      </header>
      {error !== null && data === null && <Failure error={error} retry={reload} />}
      {error === null && data === null && <Skeleton lines={4} />}
      {data !== null && (
        <ul class="rows users">
          {data.map((user) => (
            <li key={user.id} class="item user">
              <Row user={user} reload={reload} />
            </li>
          ))}
        </ul>
      )}
      <section class="card flat" aria-labelledby="roles">
        <h2 id="roles">{t("administration.roles")}</h2>
        <dl class="roles">
          {ROLES.map((role) => (
            <div key={role}>
              <dt>{t(`administration.role.${role}`)}</dt>
              <dd class="muted">{t(`administration.about.${role}`)}</dd>
            </div>
          ))}
        </dl>
      </section>
      {adding && <Addition onClose={() => setAdding(false)} onAdded={reload} />}
    </div>
  );
}

function Row({ user, reload }: { user: UserSummary; reload: () => void }) {
  const [busy, setBusy] = useState(false);
  const own = whoAmI()?.id === user.id;
  const change = async (wanted: Partial<UserChange>, said: string): Promise<void> => {
    setBusy(true);
    try {
      await patch(at`/api/users/${user.id}`, { name: null, role: null, disabled: null, password: null, ...wanted });
      tell(said);
    } catch (error) {
      complain(error);
    } finally {
      setBusy(false);
      reload();
    }
  };
  return (
    <>
      <span class="avatar" aria-hidden="true">
        {user.name.slice(0, 1).toUpperCase()}
      </span>
      <span class="grow">
        <span class="user-name">
          {user.name} {own && <span class="badge">{t("administration.you")}</span>}{" "}
          {user.disabled && <span class="badge danger">{t("administration.disabled")}</span>}
        </span>
        <span class="muted small">{user.email}</span>
      </span>
      <label>
        <span class="visually-hidden">{t("administration.role_of", { name: user.name })}</span>
        <select
          value={user.role}
          disabled={busy || own}
          onChange={(event) => {
            const role = event.currentTarget.value;
            if (isRole(role)) void change({ role }, t("administration.role_changed", { name: user.name }));
          }}
        >
          {ROLES.map((role) => (
            <option key={role} value={role}>
              {t(`administration.role.${role}`)}
            </option>
          ))}
        </select>
      </label>
      <button
        type="button"
        class={user.disabled ? "button small" : "button small quiet danger"}
        disabled={busy || own}
        aria-label={`${t(user.disabled ? "administration.enable" : "administration.disable")}: ${user.name}`}
        onClick={() =>
          void change(
            { disabled: !user.disabled },
            t(user.disabled ? "administration.enabled_now" : "administration.disabled_now", { name: user.name }),
          )
        }
      >
        {t(user.disabled ? "administration.enable" : "administration.disable")}
      </button>
    </>
  );
}

function Addition({ onClose, onAdded }: { onClose: () => void; onAdded: () => void }) {
  const [user, setUser] = useState<NewUser>({ email: "", name: "", role: "agent", password: "" });
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const add = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      await post("/api/users", { ...user, email: user.email.trim(), name: user.name.trim() });
      tell(t("administration.added", { name: user.name.trim() }));
      onAdded();
      onClose();
    } catch (reason) {
      setError(reason);
      setBusy(false);
    }
  };
  return (
    <Dialog title={t("administration.add_title")} onClose={onClose}>
      <form class="stack" onSubmit={(event) => void add(event)}>
        <label class="field">
          <span>{t("administration.name")}</span>
          <input
            required
            maxLength={100}
            autoComplete="off"
            value={user.name}
            onInput={(event) => setUser({ ...user, name: event.currentTarget.value })}
          />
        </label>
        <label class="field">
          <span>{t("administration.email")}</span>
          <input
            required
            type="email"
            maxLength={200}
            autoComplete="off"
            value={user.email}
            onInput={(event) => setUser({ ...user, email: event.currentTarget.value })}
          />
        </label>
        <label class="field">
          <span>{t("administration.role")}</span>
          <select
            value={user.role}
            onChange={(event) => {
              const role = event.currentTarget.value;
              if (isRole(role)) setUser({ ...user, role });
            }}
          >
            {ROLES.map((role) => (
              <option key={role} value={role}>
                {t(`administration.role.${role}`)}
              </option>
            ))}
          </select>
          <small>{t(`administration.about.${user.role}`)}</small>
        </label>
        <label class="field">
          <span>{t("administration.password")}</span>
          <input
            required
            type="password"
            minLength={10}
            maxLength={200}
            autoComplete="new-password"
            value={user.password}
            onInput={(event) => setUser({ ...user, password: event.currentTarget.value })}
          />
          <small>{t("administration.password_hint")}</small>
        </label>
        <Decision action={t("administration.add")} error={error} busy={busy} onCancel={onClose} />
      </form>
    </Dialog>
  );
}

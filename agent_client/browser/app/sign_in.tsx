import type { ComponentChildren } from "preact";
import { useRef, useState } from "preact/hooks";
import { setUp, signIn } from "./account";
import { get } from "./api";
import { Preferences } from "./preferences";
import { useResource } from "./resource";
import { explain } from "./toasts";
import { t } from "./words";

/** As in server/accounts.py. */
const SHORTEST_PASSWORD = 10;

/** A form's way to the server: what failed, and whether it is on its way. */
function useSending(): { error: unknown; busy: boolean; send: (work: () => Promise<void>) => Promise<void> } {
  const [state, setState] = useState<{ error: unknown; busy: boolean }>({ error: null, busy: false });
  const send = async (work: () => Promise<void>): Promise<void> => {
    setState({ error: null, busy: true });
    try {
      await work();
      setState({ error: null, busy: false });
    } catch (error) {
      setState({ error, busy: false });
    }
  };
  return { ...state, send };
}

function Door({ title, children }: { title: string; children: ComponentChildren }) {
  const organization = useResource("organization", () => get<{ name: string }>("/api/organization"));
  return (
    <main class="door">
      <div class="door-card card stack">
        <p class="brand">
          <span class="brand-mark" aria-hidden="true" />
          Sightline
        </p>
        <h1>{title}</h1>
        <p class="muted">{organization.data?.name ?? "\u00a0"}</p>
        {children}
      </div>
      <Preferences />
    </main>
  );
}

function field(form: HTMLFormElement, name: string): string {
  const value = new FormData(form).get(name);
  return typeof value === "string" ? value : "";
}

export function SignIn({ expired }: { expired: boolean }) {
  const { error, busy, send } = useSending();
  const form = useRef<HTMLFormElement>(null);
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const element = form.current;
    if (element === null || busy) return;
    void send(() => signIn(field(element, "email").trim(), field(element, "password")));
  };
  return (
    <Door title={t("sign_in.title")}>
      {expired && error === null && <p role="status">{t("sign_in.expired")}</p>}
      <form ref={form} class="stack" onSubmit={submit}>
        <label class="field">
          <span>{t("field.email")}</span>
          <input name="email" type="email" autocomplete="username" required autofocus />
        </label>
        <label class="field">
          <span>{t("field.password")}</span>
          <input name="password" type="password" autocomplete="current-password" required />
        </label>
        <div role="alert">{error !== null && <p class="banner danger">{explain(error)}</p>}</div>
        <button type="submit" class="button primary wide" aria-busy={busy}>
          {busy ? t("sign_in.busy") : t("sign_in.submit")}
        </button>
      </form>
    </Door>
  );
}

/** The first administrator makes the account with the token that the server printed when it started. */
export function Setup() {
  const { error, busy, send } = useSending();
  const form = useRef<HTMLFormElement>(null);
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const element = form.current;
    if (element === null || busy) return;
    const value = (name: string): string => field(element, name).trim();
    void send(() => setUp(value("token"), value("email"), value("name"), field(element, "password")));
  };
  return (
    <Door title={t("setup.title")}>
      <p>{t("setup.explanation")}</p>
      <form ref={form} class="stack" onSubmit={submit}>
        <label class="field">
          <span>{t("setup.token")}</span>
          <input name="token" autocomplete="off" spellcheck={false} required autofocus />
          <small>{t("setup.token_hint")}</small>
        </label>
        <label class="field">
          <span>{t("field.name")}</span>
          <input name="name" autocomplete="name" required maxlength={100} />
        </label>
        <label class="field">
          <span>{t("field.email")}</span>
          <input name="email" type="email" autocomplete="username" required />
        </label>
        <label class="field">
          <span>{t("field.password")}</span>
          <input name="password" type="password" autocomplete="new-password" required minlength={SHORTEST_PASSWORD} />
          <small>{t("setup.password_hint", { count: SHORTEST_PASSWORD })}</small>
        </label>
        <div role="alert">{error !== null && <p class="banner danger">{explain(error)}</p>}</div>
        <button type="submit" class="button primary wide" aria-busy={busy}>
          {t("setup.submit")}
        </button>
      </form>
    </Door>
  );
}

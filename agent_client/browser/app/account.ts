import { effect, signal } from "@preact/signals";
import { ApiError, get, post, refusals, request } from "./api";
import { closeFeed, openFeed } from "./feed";

export interface Me {
  id: string;
  email: string;
  name: string;
  role: "agent" | "trainer" | "qa" | "admin";
  organization: string;
  capabilities: string[];
}

/** Who is signed in here. */
export type Account =
  | { state: "unknown" }
  | { state: "unreachable"; error: unknown }
  | { state: "setup" }
  | { state: "signed_out"; expired: boolean }
  | { state: "signed_in"; me: Me };

export const account = signal<Account>({ state: "unknown" });

/** Who is signed in; null on the pages before that. */
export function whoAmI(): Me | null {
  return account.value.state === "signed_in" ? account.value.me : null;
}

/** Whether the server lets this login do something; it decides again itself, this only hides what is useless. */
export const may = (capability: string): boolean => whoAmI()?.capabilities.includes(capability) ?? false;

function enter(me: Me): void {
  account.value = { state: "signed_in", me };
  openFeed();
}

function leave(expired: boolean): void {
  closeFeed();
  account.value = { state: "signed_out", expired };
}

/** Asks the server who is signed in. */
export async function recognize(): Promise<void> {
  const before = account.value.state;
  try {
    enter(await get<Me>("/api/me"));
  } catch (error) {
    if (!(error instanceof ApiError && error.status === 401)) {
      if (before !== "signed_in") account.value = { state: "unreachable", error };
      return;
    }
    const setup = await get<{ needed: boolean }>("/api/setup").catch(() => ({ needed: false }));
    if (setup.needed) account.value = { state: "setup" };
    else leave(before === "signed_in");
  }
}

export async function signIn(email: string, password: string): Promise<void> {
  enter(await post<Me>("/api/login", { email, password }));
}

export async function setUp(token: string, email: string, name: string, password: string): Promise<void> {
  await post("/api/setup", { token, email, name, password });
  await recognize();
  if (account.value.state !== "signed_in") await signIn(email, password);
}

export async function signOut(): Promise<void> {
  await request("POST", "/api/logout");
  leave(false);
}

effect(() => {
  // Several requests may be refused at once; who is signed out already is not asked after again.
  if (refusals.value > 0 && account.peek().state === "signed_in") void recognize();
});

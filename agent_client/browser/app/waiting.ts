import { effect, signal } from "@preact/signals";
import type { WaitingCustomer, WaitingList } from "../http";
import { may } from "./account";
import { get } from "./api";
import { listen } from "./feed";

/** The waiting list as last heard of; `offset` is the server's clock minus this one. */
export interface Waiting {
  waiting: readonly WaitingCustomer[];
  offset: number;
}

export const waiting = signal<Waiting | null>(null);
export const waitingError = signal<unknown>(null);

export async function reloadWaiting(): Promise<void> {
  try {
    const list = await get<WaitingList>("/api/waiting");
    waiting.value = { waiting: list.waiting, offset: list.now - Date.now() };
    waitingError.value = null;
  } catch (error) {
    waitingError.value = error;
  }
}

/** The rail shows the list on every page, so it is kept for as long as somebody who may see it is signed in. */
effect(() => {
  if (!may("waiting.read")) {
    waiting.value = null;
    return undefined;
  }
  void reloadWaiting();
  return listen((hint) => {
    if (hint === "*" || hint === "waiting") void reloadWaiting();
  });
});

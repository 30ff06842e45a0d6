// The customer's place in a session: got with a link or a code, and kept, so that a reload or the same link in the same
// browser comes back to it.

import type {
  Client,
  ClientList,
  ClientOffer,
  HelpArticle,
  HelpArticles,
  Participation,
  ParticipationDetails,
  SnapshotStored,
} from "./http";
import { language } from "./words";

const CURRENT = "sightline.participation";
const BY_LINK = "sightline.link.";
const KEPT_FOR_MS = 7 * 24 * 3600 * 1000;

/** An error as a page can speak of it; `code` is `offline` when there was no answer at all. */
export class Failure extends Error {
  constructor(
    readonly code: string,
    readonly text: string,
    readonly id: string,
    readonly status: number,
  ) {
    super(code);
  }
}

async function ask<Answer>(path: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(path, { cache: "no-store", credentials: "same-origin", ...init }).catch(() => null);
  if (!response) throw new Failure("offline", "", "", 0);
  if (response.status === 204) return undefined as Answer;
  const body: unknown = await response.json().catch(() => null);
  if (response.ok) return body as Answer;
  const { code = "failed", text = "", id = "" } = (body as { error?: Partial<Failure> } | null)?.error ?? {};
  throw new Failure(code, text, String(id ?? ""), response.status);
}

function post<Answer>(path: string, body: unknown, token?: string): Promise<Answer> {
  const headers = { "Content-Type": "application/json", ...(token ? { Authorization: `Bearer ${token}` } : {}) };
  return ask(path, { method: "POST", headers, body: JSON.stringify(body) });
}

/** Exchanges a link's token for a place in the session, or comes back to the place that it gave before. */
export async function openLink(token: string): Promise<Participation> {
  const key = BY_LINK + (await hash(token));
  const kept = read(localStorage, key);
  if (kept && (await stillGood(kept))) return keep(kept, key);
  forgetOld();
  return keep(await post<Participation>("/api/invitations/redeem", { token, code: null, language: language() }), key);
}

export async function openCode(code: string): Promise<Participation> {
  return keep(await post<Participation>("/api/invitations/redeem", { token: null, code, language: language() }));
}

export async function askForHelp(name: string, problem: string): Promise<Participation> {
  return keep(await post<Participation>("/api/help", { name, problem, language: language() }));
}

/** The place that this tab had before it was loaded again, or null. */
export async function resume(): Promise<Participation | null> {
  const kept = read(sessionStorage, CURRENT);
  if (!kept) return null;
  if (await stillGood(kept)) return kept;
  forget();
  return null;
}

export function forget(): void {
  attempt(() => sessionStorage.removeItem(CURRENT));
}

export function details(place: Participation): Promise<ParticipationDetails> {
  return ask("/api/participation", { headers: { Authorization: `Bearer ${place.token}` } });
}

export function giveFeedback(place: Participation, score: number): Promise<void> {
  return post("/api/participation/feedback", { score }, place.token);
}

export async function organization(): Promise<string> {
  return (await ask<{ name: string }>("/api/organization")).name;
}

/** The programs that can be had in place of this page. */
export async function clients(): Promise<Client[]> {
  return (await ask<ClientList>("/api/clients")).clients;
}

/** A program that comes into this session in place of this page, once it is started. */
export function clientFor(place: Participation, system: string): Promise<ClientOffer> {
  return post("/api/participation/client", { system }, place.token);
}

export async function helpArticles(query: string): Promise<HelpArticle[]> {
  return (await ask<HelpArticles>(`/api/help-articles?q=${encodeURIComponent(query)}`)).articles;
}

/** Stores a picture of a surface; it appears on the timeline as a snapshot. */
export function sendPicture(
  place: Participation,
  picture: Blob,
  about: { kind: string; label: string; requestedBy: string | null },
): Promise<SnapshotStored> {
  const query = new URLSearchParams({ surface_kind: about.kind, label: about.label });
  if (about.requestedBy) query.set("requested_by", about.requestedBy);
  return ask(`/api/sessions/${place.session}/snapshots?${query}`, {
    method: "POST",
    headers: { "Content-Type": picture.type, Authorization: `Bearer ${place.token}` },
    body: picture,
  });
}

export async function fetchPicture(place: Participation, snapshot: string): Promise<Blob> {
  const response = await fetch(`/api/sessions/${place.session}/snapshots/${snapshot}`, {
    headers: { Authorization: `Bearer ${place.token}` },
  }).catch(() => null);
  if (!response?.ok) throw new Failure("offline", "", "", response?.status ?? 0);
  return response.blob();
}

async function stillGood(place: Participation): Promise<boolean> {
  try {
    await details(place);
    return true;
  } catch (failure) {
    // Without an answer nothing is known, and the link, once used, could not be used again.
    return failure instanceof Failure && failure.status === 0;
  }
}

function keep(place: Participation, key?: string): Participation {
  attempt(() => sessionStorage.setItem(CURRENT, JSON.stringify(place)));
  if (key) attempt(() => localStorage.setItem(key, JSON.stringify({ ...place, at: Date.now() })));
  return place;
}

function read(storage: Storage, key: string): Participation | null {
  return (
    attempt(() => {
      const { token, session, participant } = JSON.parse(storage.getItem(key) ?? "null") as Participation;
      return [token, session, participant].every((value) => typeof value === "string")
        ? { token, session, participant }
        : null;
    }) ?? null
  );
}

function forgetOld(): void {
  for (const key of Object.keys(localStorage).filter((each) => each.startsWith(BY_LINK))) {
    const at = attempt(() => (JSON.parse(localStorage.getItem(key) ?? "{}") as { at?: number }).at) ?? 0;
    if (Date.now() - at > KEPT_FOR_MS) localStorage.removeItem(key);
  }
}

async function hash(text: string): Promise<string> {
  const bytes = new TextEncoder().encode(text);
  if (!crypto.subtle) return text.slice(0, 8);
  return [...new Uint8Array(await crypto.subtle.digest("SHA-256", bytes))]
    .map((byte) => byte.toString(16).padStart(2, "0"))
    .join("");
}

/** Storage may be forbidden or full; then the page works, and forgets with the tab. */
function attempt<Result>(action: () => Result): Result | null {
  try {
    return action();
  } catch {
    return null;
  }
}

import { signal } from "@preact/signals";

/** What the server said no to: `code` is stable, `message` says what to do, `id` finds it in the server's log. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    text: string,
    readonly id: string | null,
  ) {
    super(text);
    this.name = "ApiError";
  }
}

interface ErrorBody {
  error: { code: string; text: string; id: string | null };
}

function isErrorBody(value: unknown): value is ErrorBody {
  if (typeof value !== "object" || value === null || !("error" in value)) return false;
  const inner = value.error;
  return typeof inner === "object" && inner !== null && "code" in inner && "text" in inner;
}

/** Counts the answers that said "not signed in"; the account looks again who is there. */
export const refusals = signal(0);

type Method = "GET" | "POST" | "PATCH" | "DELETE";

async function failure(response: Response): Promise<ApiError> {
  const body: unknown = await response.json().catch(() => null);
  if (isErrorBody(body)) {
    return new ApiError(response.status, body.error.code, body.error.text, body.error.id ?? null);
  }
  return new ApiError(response.status, "unexpected", "", null);
}

async function send(method: Method, path: string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, { method, credentials: "same-origin", ...init });
  } catch {
    throw new ApiError(0, "unreachable", "", null);
  }
  if (response.ok) return response;
  if (response.status === 401 && path !== "/api/login" && path !== "/api/me") refusals.value += 1;
  throw await failure(response);
}

async function decoded<T>(response: Response): Promise<T> {
  if (response.status === 204) return undefined as T;
  const text = await response.text();
  return (text === "" ? undefined : JSON.parse(text)) as T;
}

/** Asks the server and decodes its answer; fails with `ApiError` only. */
export async function request<T>(method: Method, path: string, body?: unknown): Promise<T> {
  const init: RequestInit =
    body === undefined ? {} : { headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  return decoded<T>(await send(method, path, init));
}

export const get = <T>(path: string): Promise<T> => request<T>("GET", path);
export const post = <T>(path: string, body?: unknown): Promise<T> => request<T>("POST", path, body);
export const patch = <T>(path: string, body: unknown): Promise<T> => request<T>("PATCH", path, body);
export const remove = <T>(path: string): Promise<T> => request<T>("DELETE", path);

/** Sends a picture as it is; `token` is a participant's. */
export async function upload<T>(path: string, picture: Blob, token: string): Promise<T> {
  const headers = { "Content-Type": picture.type, Authorization: `Bearer ${token}` };
  return decoded<T>(await send("POST", path, { headers, body: picture }));
}

/** A path with its parts encoded: at`/api/tickets/${id}`. */
export function at(parts: TemplateStringsArray, ...values: string[]): string {
  return parts.reduce((whole, part, index) => whole + encodeURIComponent(values[index - 1] ?? "") + part);
}

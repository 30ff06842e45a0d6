import { computed, signal } from "@preact/signals";
import type { ComponentChildren } from "preact";

/** The pages of the console. A page gets what its address holds as `params`. */
export type PageName =
  | "waiting"
  | "my_tickets"
  | "tickets"
  | "ticket"
  | "session"
  | "library"
  | "recording"
  | "articles"
  | "users"
  | "retention"
  | "audit";

export interface PageProps {
  params: Readonly<Record<string, string>>;
}

export interface Route {
  page: PageName | "unknown";
  params: Readonly<Record<string, string>>;
}

const BASE = "/console";

/** `:name` in a pattern is one part of the path. */
const ROUTES: readonly (readonly [string, PageName])[] = [
  ["", "waiting"],
  ["/waiting", "waiting"],
  ["/tickets/mine", "my_tickets"],
  ["/tickets", "tickets"],
  ["/tickets/:id", "ticket"],
  ["/sessions/:id", "session"],
  ["/library", "library"],
  ["/library/:session", "recording"],
  ["/articles", "articles"],
  ["/users", "users"],
  ["/retention", "retention"],
  ["/audit", "audit"],
];

function parameters(pattern: string, path: string): Record<string, string> | null {
  const wanted = pattern.split("/");
  const given = path.split("/");
  if (wanted.length !== given.length) return null;
  const found: Record<string, string> = {};
  for (const [index, part] of wanted.entries()) {
    const value = given[index] ?? "";
    if (part.startsWith(":")) {
      try {
        found[part.slice(1)] = decodeURIComponent(value);
      } catch {
        return null;
      }
      if (value === "") return null;
    } else if (part !== value) return null;
  }
  return found;
}

/** The page that a path of the console leads to. */
export function resolve(path: string): Route {
  const inside = (path.startsWith(BASE) ? path.slice(BASE.length) : path).replace(/\/+$/, "");
  for (const [pattern, page] of ROUTES) {
    const params = parameters(pattern, inside);
    if (params !== null) return { page, params };
  }
  return { page: "unknown", params: {} };
}

const location_ = signal(window.location.pathname + window.location.search);

/** The path in the address bar, without the query. */
export const path = computed(() => location_.value.split("?")[0] ?? BASE);
/** The query in the address bar. */
export const query = computed(() => new URLSearchParams(location_.value.split("?")[1] ?? ""));
export const route = computed(() => resolve(path.value));

window.addEventListener("popstate", () => {
  location_.value = window.location.pathname + window.location.search;
});

/** Goes to a path of the console ("/tickets/x"); `replace` leaves no step to go back to. */
export function navigate(to: string, replace = false): void {
  const full = to.startsWith(BASE) ? to : BASE + to;
  if (full === location_.value) return;
  window.history[replace ? "replaceState" : "pushState"](null, "", full);
  location_.value = full;
  if (!replace) window.scrollTo(0, 0);
}

/** An address that a person can open in a new tab or send to a colleague. */
export const address = (to: string): string => BASE + to;

interface LinkProps {
  to: string;
  children: ComponentChildren;
  class?: string;
  title?: string | undefined;
  "aria-current"?: "page" | undefined;
  "aria-label"?: string;
}

/** A link within the console: a plain one for the browser, without loading the page anew. */
export function Link({ to, children, ...rest }: LinkProps) {
  const follow = (event: MouseEvent): void => {
    if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    navigate(to);
  };
  return (
    <a {...rest} href={address(to)} onClick={follow}>
      {children}
    </a>
  );
}

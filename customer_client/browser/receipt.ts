import type { Event } from "../../signaling/browser/messages";
import { type Session, sharedFor } from "../../signaling/browser/session";
import type { Customer } from "./customer";
import { clock, day, duration, type Key, language, listed, t } from "./words";

/** Who saw, for how long, and whether it was recorded. */
export interface Summary {
  duration: string;
  viewers: string;
  recorded: boolean;
  pictures: number;
}

export function summarize(customer: Customer): Summary {
  const { session } = customer;
  const agents = Object.values(session.participants).filter(({ role }) => role === "agent");
  const names = [...new Set(agents.map(({ name }) => name))];
  return {
    duration: duration(sharedFor(session, customer.now)),
    viewers: names.length > 0 ? listed(names) : t("after.viewers.none"),
    recorded: session.recorded,
    pictures: session.snapshots.length,
  };
}

/** What happened, in words; null for what is no concern of a receipt. */
export function inWords({ body }: Event, session: Session): string | null {
  switch (body.type) {
    case "joined":
      if (body.role === "recorder") return null;
      return body.role === "customer" ? t("event.customer_joined") : t("event.agent_joined", { name: body.name });
    case "left": {
      const gone = session.participants[body.participant];
      return gone?.role === "agent" ? t("event.agent_left", { name: gone.name }) : null;
    }
    case "consent_given":
    case "consent_refused":
    case "consent_withdrawn": {
      if (body.scope === "control") return null;
      const verb = { consent_given: "consent", consent_refused: "refused", consent_withdrawn: "withdrawn" }[body.type];
      return t(`event.${verb}_${body.scope}` as Key);
    }
    case "sharing_started":
      return t("event.started", { surface: t(`sharing.surface.${body.surface.kind}`) });
    case "sharing_paused":
      return t("event.paused");
    case "sharing_resumed":
      return t("event.resumed");
    case "sharing_stopped":
      return t("event.stopped");
    case "recording_started":
      return t("event.recording");
    case "recording_stopped":
      return t("event.recording_stopped");
    case "snapshot_taken":
      return t("event.snapshot");
    case "session_ended":
      return t("event.ended");
    default:
      return null;
  }
}

/** The receipt as a page that stands by itself and prints well. */
export function receipt(customer: Customer): Blob {
  const { session, events } = customer;
  const { duration: shared, viewers, recorded } = summarize(customer);
  const facts: [string, string][] = [
    [t("receipt.with"), session.organization],
    [t("receipt.about"), session.subject],
    [t("receipt.date"), day(session.openedAt ?? customer.now)],
    [t("after.duration"), shared],
    [t("after.viewers"), viewers],
    [t("after.recorded"), t(recorded ? "after.recorded.yes" : "after.recorded.no")],
    [t("receipt.session"), customer.place.session],
  ];
  const page = document.implementation.createHTMLDocument(t("receipt.title"));
  page.documentElement.lang = language();
  const add = (parent: Element, tag: string, text = ""): Element => {
    const child = page.createElement(tag);
    child.textContent = text;
    parent.append(child);
    return child;
  };
  const meta = page.createElement("meta");
  meta.setAttribute("charset", "utf-8");
  page.head.prepend(meta);
  add(
    page.head,
    "style",
    "body{font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:2rem auto;padding:0 1rem;color:#1b1b22;background:#fff}" +
      "th{text-align:start;font-weight:500;padding-inline-end:1.5rem}td,th{padding-block:.2rem;vertical-align:top}small{color:#5c5c69}",
  );
  add(page.body, "h1", t("receipt.title"));
  const table = add(add(page.body, "table"), "tbody");
  for (const [name, value] of facts.filter(([, each]) => each !== "")) {
    const row = add(table, "tr");
    add(row, "th", name).setAttribute("scope", "row");
    add(row, "td", value);
  }
  add(page.body, "h2", t("receipt.events"));
  const list = add(add(page.body, "table"), "tbody");
  for (const event of events) {
    const words = inWords(event, session);
    if (words === null) continue;
    const row = add(list, "tr");
    add(row, "th", clock(event.at, true)).setAttribute("scope", "row");
    add(row, "td", words);
  }
  add(add(page.body, "p"), "small", t("receipt.kept"));
  return new Blob([`<!doctype html>\n${page.documentElement.outerHTML}\n`], { type: "text/html;charset=utf-8" });
}

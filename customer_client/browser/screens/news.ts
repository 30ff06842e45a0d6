import type { Event } from "../../../signaling/browser/messages";
import type { Customer } from "../customer";
import type { Page } from "../page";
import { type Key, t } from "../words";

const NEWS: Partial<Record<Event["body"]["type"], Key>> = {
  sharing_started: "sharing.started",
  sharing_resumed: "sharing.resumed",
  sharing_paused: "sharing.paused",
  recording_started: "sharing.recording.on",
  recording_stopped: "sharing.recording.off",
  snapshot_taken: "sharing.snapshot.taken",
  annotation_added: "sharing.drawn",
  surface_shown: "sharing.snapshot",
};

const VOICE: typeof NEWS = {
  consent_asked: "voice.asked",
  consent_given: "voice.given",
  consent_withdrawn: "voice.withdrawn",
};

/** Speaks of what happens while something is shared, and writes in the tab's title that something was drawn. */
export function sharingNews(page: Page, customer: Customer): () => void {
  const mine = customer.place.participant;
  const agent = () => customer.agents[0]?.name ?? customer.session.agent?.name ?? t("name.staff");
  let online = customer.link === "online";
  const calm = () => {
    if (!document.hidden) document.title = t("page.join");
  };
  document.addEventListener("visibilitychange", calm);
  const listeners = [
    customer.on("event", ({ actor, body }) => {
      if (body.type === "surface_shown" && body.surface === null) return;
      if (body.type === "consent_asked" && body.scope === "record") {
        page.announce(t("sharing.record.asked", { agent: agent(), organization: customer.session.organization }));
      }
      if ("scope" in body && body.scope === "voice") {
        const said = VOICE[body.type];
        if (said) page.announce(t(said, { agent: agent() }));
      }
      const key = customer.unseen && body.type.startsWith("sharing_") ? "cover.unseen" : NEWS[body.type];
      if (!key || (actor === mine && body.type === "surface_shown")) return;
      page.announce(t(key, { agent: agent() }));
      if (body.type === "annotation_added" && document.hidden) {
        document.title = t("sharing.drawn.title", { agent: agent() });
      }
    }),
    customer.on("change", () => {
      const now = customer.link === "online";
      if (now && !online) page.announce(t("link.back"));
      online = now;
    }),
  ];
  return () => {
    document.removeEventListener("visibilitychange", calm);
    for (const stop of listeners) stop();
  };
}

import { createIcon, type IconName } from "../../../annotate/browser/icons";
import { whyRelayed } from "../../../signaling/browser/audience";
import { isSeen, mustHold } from "../../../signaling/browser/session";
import type { Chat } from "../chat";
import type { Customer } from "../customer";
import { element, listen, setText, show } from "../elements";
import { canFloat, float } from "../floating";
import { Mirror } from "../mirror";
import type { Page, Screen } from "../page";
import { picturePanel } from "../picture_panel";
import { listed, t } from "../words";
import { coverParts } from "./covers";
import { sharingNews } from "./news";
import { voiceParts } from "./voice";

const ESCAPE_WITHIN_MS = 2_000;

/** The mirror as large as fits, who sees it, and Pause and Stop always in reach. */
export function sharingScreen(page: Page, customer: Customer, chat: Chat): Screen {
  const agent = () => customer.agents[0]?.name ?? customer.session.agent?.name ?? t("name.staff");
  const pictures = customer.track === null;
  const mirror = new Mirror(customer);

  const seenDot = element("span", { class: "dot" });
  const seenText = element("span");
  const seen = element("p", { class: "badge accent seen", role: "status" }, seenDot, seenText);
  const recordingText = element("span");
  const recording = element(
    "p",
    { class: "badge danger recording", hidden: true },
    element("span", { class: "dot live" }),
    recordingText,
  );
  const stopRecording = element(
    "button",
    { type: "button", class: "button small", hidden: true, onclick: () => customer.consentRecording(false) },
    t("sharing.record.stop"),
  );
  const phrase = element("b", { class: "number" });
  const phraseHint = element("p", { class: "card" });
  const verification = element(
    "details",
    { class: "phrase small", hidden: true },
    element("summary", {}, `${t("sharing.phrase")}: `, phrase),
    phraseHint,
  );
  const relayedText = element("summary");
  const relayed = element(
    "details",
    { class: "small muted relayed", hidden: true },
    relayedText,
    element("p", {}, t("sharing.relayed.hint")),
  );

  const linkBanner = element("p", { class: "banner warning", role: "alert", hidden: true });
  const pausedText = element("span", {}, t("sharing.paused"));
  const pausedBanner = element(
    "p",
    { class: "banner warning", role: "status", hidden: true },
    createIcon("pause"),
    pausedText,
  );
  const stillBanner = element("p", { class: "banner", hidden: true }, t("sharing.snapshot", { agent: agent() }));
  const question = recordingQuestion(customer, agent());
  const voice = voiceParts(customer, agent);
  const covers = coverParts(page, customer);
  mirror.element.append(covers.layer);
  const asked = [question, voice.question];
  const background = element("p", { class: "small muted background" }, t("sharing.background"));
  const banners = element(
    "div",
    { class: "banners" },
    ...asked,
    linkBanner,
    pausedBanner,
    covers.panel,
    covers.banner,
    ...voice.banners,
    stillBanner,
    relayed,
    background,
  );
  const pause = bar("pause", t("sharing.pause"), () => (customer.paused ? customer.resume() : customer.pause()));
  const stop = bar("stop", t("sharing.stop"), () => customer.stop());
  stop.button.classList.add("danger", "stop");
  stop.button.setAttribute("aria-keyshortcuts", "Escape Escape");
  stop.button.title = t("sharing.escape.hint");
  const picture = bar("camera", t("sharing.picture"), () => openPictures());
  const floating = bar("float", t("sharing.float"), () => void toggleFloat());
  floating.button.title = t("sharing.float.hint");

  const stage = element("div", { class: "stage" }, mirror.element);
  const away = element("p", { class: "empty" }, t("sharing.floating"));
  const pauseThere = element("button", {
    type: "button",
    class: "button",
    onclick: () => (customer.paused ? customer.resume() : customer.pause()),
  });
  let pip: Window | null = null;

  async function toggleFloat(): Promise<void> {
    if (pip) {
      pip.close();
      return;
    }
    const controls = element(
      "div",
      { class: "row center floating-bar" },
      pauseThere,
      ...voice.small,
      element("button", { type: "button", class: "button danger", onclick: () => customer.stop() }, t("sharing.stop")),
    );
    // What is asked goes along: the small window is the one that is looked at.
    const content = element("div", { class: "floating-content" }, ...asked, mirror.element, controls);
    pip = await float(content, t("sharing.you"), () => {
      pip = null;
      banners.prepend(...asked);
      stage.replaceChildren(mirror.element);
      settle();
      mirror.refresh();
    });
    if (!pip) {
      banners.prepend(...asked);
      stage.replaceChildren(mirror.element);
      mirror.refresh();
      return;
    }
    pip.addEventListener("resize", () => mirror.refresh());
    pip.addEventListener("keydown", pressed);
    stage.replaceChildren(away);
    settle();
    mirror.refresh();
  }

  function settle(): void {
    setText(floating.label, t(pip ? "sharing.dock" : "sharing.float"));
    floating.button.setAttribute("aria-pressed", String(pip !== null));
  }

  const dialog = element("dialog", { "aria-label": t("picture.title") });
  const panel = picturePanel(page, customer, () => dialog.open && dialog.close());
  const inline = element("div", { class: "card pictures", hidden: true }, element("h2", {}, t("picture.title")));
  if (pictures) inline.append(panel.element);
  dialog.append(
    element(
      "header",
      {},
      element("h2", {}, t("picture.title")),
      element(
        "button",
        { type: "button", class: "button quiet icon", "aria-label": t("picture.close"), onclick: () => dialog.close() },
        createIcon("close"),
      ),
    ),
  );

  function openPictures(): void {
    dialog.append(panel.element);
    dialog.showModal();
  }
  dialog.addEventListener("close", () => {
    if (pictures && customer.session.shown === null) inline.append(panel.element);
    picture.button.focus();
  });

  let escapedAt = Number.NEGATIVE_INFINITY;
  function pressed(event: KeyboardEvent): void {
    if (event.key !== "Escape" || event.defaultPrevented || dialog.open) return;
    if (event.timeStamp - escapedAt < ESCAPE_WITHIN_MS) {
      customer.stop();
      return;
    }
    escapedAt = event.timeStamp;
    page.announce(t("sharing.escape"));
    show(escapeHint, true);
    setTimeout(() => show(escapeHint, false), ESCAPE_WITHIN_MS);
  }
  const escapeHint = element("p", { class: "toast", hidden: true }, t("sharing.escape"));
  const listeners = [listen("keydown", pressed), sharingNews(page, customer)];

  const frame = element("div", { class: "seen-frame", "aria-hidden": "true" });

  function update(): void {
    const { session } = customer;
    const names = listed(customer.watching.map(({ name }) => name));
    const looking = customer.watching.length > 0 && !customer.paused;
    const key = pictures ? "sharing.picture.seen" : "sharing.seen";
    setText(seenText, looking ? t(key, { names }) : t(customer.paused ? "event.paused" : "sharing.nobody"));
    seen.classList.toggle("accent", looking);
    seenDot.classList.toggle("live", looking);
    frame.classList.toggle("off", !looking);

    const on = session.recording === "on" && !customer.paused;
    show(recording, session.recording === "on");
    const heard = on && customer.voice.state === "on" ? "sharing.recording.voice" : "sharing.recording";
    setText(recordingText, t(session.recordingFailed ? "sharing.recording.failed" : heard));
    recording.firstElementChild?.classList.toggle("live", on && !session.recordingFailed);
    show(stopRecording, session.recording === "on");
    show(question, session.consents.record === "asked" && isSeen(session));

    voice.update();
    covers.update();
    const verified = customer.verification;
    setText(phrase, verified?.phrase ?? "");
    setText(phraseHint, t("sharing.phrase.hint", { agent: verified?.agent || agent() }));
    show(verification, verified !== null);
    const why = whyRelayed(session);
    const way = why === null ? "" : t(`sharing.relayed.${why}`, { organization: session.organization });
    if (way !== "" && way !== relayedText.textContent) page.announce(way);
    setText(relayedText, way);
    show(relayed, why !== null);

    const lost = customer.link !== "online";
    setText(linkBanner, lost ? linkText(customer, names || agent()) : "");
    show(linkBanner, lost);
    show(pausedBanner, customer.paused && !(customer.unseen && !covers.panel.hidden));
    setText(pausedText, t(mustHold(session) ? "sharing.held" : "sharing.paused"));
    show(stillBanner, !pictures && session.shown !== null);
    show(background, !pictures && !customer.paused && session.shown === null && covers.panel.hidden === true);

    for (const label of [pause.label, pauseThere])
      setText(label, t(customer.paused ? "sharing.resume" : "sharing.pause"));
    const icon = customer.paused ? "play" : "pause";
    if (pause.icon.dataset.icon !== icon) {
      const next = createIcon(icon);
      pause.icon.replaceWith(next);
      pause.icon = next;
    }
    show(inline, pictures && session.shown === null);
    show(stage, inline.hidden === true);
    show(picture.button, inline.hidden === true);
    if (!inline.hidden && !dialog.open && !inline.contains(panel.element)) inline.append(panel.element);
    mirror.update();
  }

  show(pause.button, !pictures);
  show(floating.button, canFloat());
  settle();

  return {
    title: t("page.join"),
    full: true,
    element: element(
      "section",
      { class: "sharing" },
      frame,
      element("h1", { class: "unseen" }, t("sharing.you")),
      element(
        "div",
        { class: "status row" },
        seen,
        recording,
        stopRecording,
        ...voice.status,
        covers.status,
        verification,
      ),
      banners,
      stage,
      inline,
      element(
        "div",
        { class: "bar", role: "toolbar", "aria-label": t("sharing.you") },
        pause.button,
        stop.button,
        covers.button,
        picture.button,
        chat.button,
        voice.button,
        floating.button,
      ),
      element("div", { class: "toasts" }, escapeHint),
      dialog,
    ),
    update,
    close: () => {
      for (const stopListening of listeners) stopListening();
      panel.close();
      mirror.close();
      pip?.close();
    },
  };
}

/** What is true of the picture while the server cannot be reached. */
function linkText(customer: Customer, names: string): string {
  if (customer.track === null) return t("link.lost.other");
  if (customer.paused) return t("link.lost.paused");
  return customer.visible ? t("link.lost.seen", { names }) : t("link.lost.dark");
}

function recordingQuestion(customer: Customer, agent: string): HTMLElement {
  const { organization } = customer.session;
  const answer = (label: string, granted: boolean) =>
    element(
      "button",
      {
        type: "button",
        class: granted ? "button primary" : "button",
        onclick: () => customer.consentRecording(granted),
      },
      label,
    );
  return element(
    "section",
    {
      class: "card spread question",
      role: "alertdialog",
      "aria-label": t("sharing.record.asked", { agent, organization }),
      hidden: true,
    },
    element(
      "div",
      { class: "grow" },
      element("strong", {}, t("sharing.record.asked", { agent, organization })),
      element("p", { class: "small muted" }, t("sharing.record.hint")),
    ),
    element(
      "div",
      { class: "row" },
      answer(t("sharing.record.allow"), true),
      answer(t("sharing.record.refuse"), false),
    ),
  );
}

function bar(name: IconName, text: string, run: () => void) {
  const icon = createIcon(name);
  const label = element("span", {}, text);
  return {
    icon,
    label,
    button: element("button", { type: "button", class: "button large", onclick: run }, icon, label),
  };
}

import { CaptureError, type CaptureTrouble, canCapture, pickSurface } from "../capture";
import type { Customer } from "../customer";
import { element, setText, show } from "../elements";
import type { Page, Screen } from "../page";
import { refusalText } from "../refusals";
import { type Key, t } from "../words";
import { programOffer } from "./program";

const TROUBLES: Record<CaptureTrouble, { title?: Key; text: Key }> = {
  closed: { title: "trouble.closed.title", text: "trouble.closed" },
  system: { title: "trouble.system.title", text: "trouble.system" },
  device: { text: "trouble.device" },
};

/** Who asks, what for, and what will be seen; two separate switches, and the ways to say yes or no. */
export function whoScreen(page: Page, customer: Customer, decline: () => void): Screen {
  const { session } = customer;
  const names = { agent: session.agent?.name ?? t("name.staff"), organization: session.organization };
  const able = canCapture();

  const view = element("input", { type: "checkbox", role: "switch", checked: true, onchange: () => update() });
  const record = element("input", { type: "checkbox", role: "switch" });
  const cover = element("input", { type: "checkbox", role: "switch" });
  const covering = choice(cover, t("who.cover"), t("who.cover.hint"));
  const recording = choice(record, t("who.record", names), t("who.record.hint"));
  const choose = element("button", { class: "button primary large", type: "button", onclick: () => void share() });
  setText(choose, t("who.choose"));
  const picture = element(
    "button",
    { class: able ? "button large" : "button primary large", type: "button", onclick: () => void sharePictures() },
    t("who.picture"),
  );
  const no = element("button", { class: "button quiet large", type: "button", onclick: decline }, t("who.no"));
  const hint = element("p", { class: "small muted", id: "who-hint", role: "status" });
  const troubleTitle = element("strong");
  const troubleText = element("span");
  const trouble = element(
    "div",
    { class: able ? "banner danger" : "banner warning", role: "alert" },
    element("div", { class: "stack tight" }, troubleTitle, troubleText),
  );
  const notice = element("div", { class: "banner warning", role: "status" });
  let picking = false;

  function complain(title: string, text: string): void {
    setText(troubleTitle, title);
    setText(troubleText, text);
    show(troubleTitle, title !== "");
    show(trouble, text !== "");
  }

  async function share(): Promise<void> {
    if (!view.checked || picking) return;
    complain("", "");
    picking = true;
    update();
    customer.consent(record.checked);
    try {
      const track = await pickSurface();
      if (customer.session.phase === "ended" || customer.closed) track.stop();
      else customer.share(track, cover.checked);
    } catch (error) {
      customer.withdraw();
      const { title, text } = TROUBLES[error instanceof CaptureError ? error.trouble : "device"];
      complain(title ? t(title) : "", t(text));
    } finally {
      picking = false;
      update();
    }
  }

  async function sharePictures(): Promise<void> {
    if (!view.checked || picking) return;
    customer.consent(record.checked);
    await customer.sharePictures();
  }

  function update(): void {
    const ready = view.checked && !picking;
    for (const button of [choose, picture]) button.setAttribute("aria-disabled", String(!ready));
    choose.toggleAttribute("aria-busy", picking);
    if (picking) choose.setAttribute("aria-busy", "true");
    show(recording, customer.session.askRecording || customer.session.consents.record === "asked");
    if (!view.checked) setText(hint, t("who.off", { switch: t("who.view", names) }));
    else if (picking) setText(hint, t("who.picker.waiting"));
    else setText(hint, able ? t("who.picker") : "");
    const { interruption } = customer;
    setText(notice, interruption ? t(interruption === "away" ? "who.away" : "who.returned") : "");
    show(notice, interruption !== null);
  }

  complain("", "");
  if (!able) complain("", window.isSecureContext ? t("who.unsupported", names) : t("who.insecure"));
  show(choose, able);
  const listeners = [
    customer.on("refused", ({ code }) => complain("", t("trouble.refused", { text: refusalText(code) }))),
    customer.on("event", ({ body }) => {
      if (body.type === "consent_asked" && body.scope === "view") page.announce(t("who.title", names));
    }),
  ];

  return {
    title: t("who.title", names),
    element: element(
      "section",
      { class: "stack loose who" },
      notice,
      element("h1", {}, t("who.title", names)),
      session.subject !== "" &&
        element("p", { class: "lead muted subject" }, t("who.about", { subject: session.subject })),
      element(
        "aside",
        { class: "banner warning scam", "aria-label": t("who.scam.title", names) },
        element("div", {}, element("strong", {}, t("who.scam.title", names)), " ", t("who.scam.text")),
      ),
      element(
        "div",
        { class: "card stack" },
        choice(view, t("who.view", names), t(able ? "who.view.hint" : "who.view.pictures")),
        recording,
        able && covering,
      ),
      trouble,
      element("div", { class: "stack tight" }, element("div", { class: "row actions" }, choose, picture, no), hint),
      programOffer(customer),
      element(
        "div",
        { class: "sides" },
        list(t("who.sees", names), [
          ...(able ? [t("who.sees.chosen"), t("who.sees.pictures")] : [t("who.sees.sent")]),
          t("who.sees.chat"),
        ]),
        list(t("who.unseen", names), [
          t("who.unseen.files"),
          t("who.unseen.windows"),
          t("who.unseen.voice"),
          t("who.unseen.control", names),
        ]),
      ),
    ),
    update,
    close: () => {
      for (const stop of listeners) stop();
    },
  };
}

function choice(input: HTMLInputElement, label: string, hint: string): HTMLElement {
  return element(
    "label",
    { class: "switch" },
    input,
    element("span", { class: "stack tight" }, element("strong", {}, label), element("small", { class: "muted" }, hint)),
  );
}

function list(title: string, lines: string[]): HTMLElement {
  return element(
    "section",
    {},
    element("h2", { class: "small" }, title),
    element("ul", { class: "points" }, ...lines.map((line) => element("li", {}, line))),
  );
}

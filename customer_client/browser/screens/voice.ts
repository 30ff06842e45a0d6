import { createIcon, type IconName } from "../../../annotate/browser/icons";
import type { Customer } from "../customer";
import { element, setText, show } from "../elements";
import { listed, t } from "../words";

/** All about talking that the sharing screen shows, in the page and in the small window. */
export interface VoiceParts {
  /** In the bar: asks whether to turn the microphone on, and mutes it when it is. */
  button: HTMLButtonElement;
  /** The same for the small window, and who hears. */
  small: HTMLElement[];
  /** Who hears, and the way to end it. */
  status: HTMLElement[];
  question: HTMLElement;
  banners: HTMLElement[];
  update(): void;
}

export function voiceParts(customer: Customer, agent: () => string): VoiceParts {
  const { voice } = customer;
  const { microphone, voices } = voice;
  let offering = false;

  const label = element("span");
  const button = element("button", { type: "button", class: "button large", onclick: () => press(button) });
  const small = element("button", { type: "button", class: "button", onclick: () => press(small) });
  let drawn: IconName | null = null;
  let pressed = button;

  function press(by: HTMLButtonElement): void {
    if (microphone.state !== "off") {
      if (voice.state !== "opening") microphone.mute(microphone.state === "on");
      return;
    }
    pressed = by;
    offering = true;
    update();
    yes.focus();
  }

  function answer(granted: boolean): void {
    const asked = customer.session.consents.voice === "asked";
    offering = false;
    if (granted) void voice.turnOn();
    else if (asked) voice.turnOff();
    update();
    pressed.focus();
  }

  function turnOff(): void {
    voice.turnOff();
    button.focus();
  }

  const title = element("strong");
  const hint = element("p", { class: "small muted" });
  const yes = element(
    "button",
    { type: "button", class: "button primary", onclick: () => answer(true) },
    t("voice.allow"),
  );
  const question = element(
    "section",
    { class: "card spread question", role: "alertdialog", hidden: true },
    element("div", { class: "grow" }, title, hint),
    element(
      "div",
      { class: "row" },
      yes,
      element("button", { type: "button", class: "button", onclick: () => answer(false) }, t("voice.refuse")),
    ),
  );

  const heardText = element("span");
  const heard = element("p", { class: "badge", role: "status", hidden: true }, createIcon("microphone"), heardText);
  const heardThere = element("p", { class: "small muted", hidden: true });
  const off = element(
    "button",
    { type: "button", class: "button small", hidden: true, onclick: turnOff },
    t("voice.off"),
  );

  const troubleText = element("span", { class: "grow" });
  const trouble = element(
    "p",
    { class: "banner warning", role: "alert", hidden: true },
    createIcon("warning"),
    troubleText,
    element(
      "button",
      { type: "button", class: "button small", onclick: () => microphone.forgive() },
      t("picture.close"),
    ),
  );
  const blocked = element(
    "p",
    { class: "banner warning", role: "alert", hidden: true },
    createIcon("warning"),
    element("span", { class: "grow" }, t("voice.blocked")),
    element("button", { type: "button", class: "button small", onclick: () => voices.unblock() }, t("voice.unblock")),
  );

  function update(): void {
    const { state } = voice;
    const { session } = customer;
    const names = listed(customer.watching.map(({ name }) => name));
    const possible = customer.track !== null;
    const open = state === "on" || state === "muted";

    const next = open ? (state === "on" ? "voice.mute" : "voice.unmute") : "voice.button";
    for (const each of [label, small]) setText(each, t(next));
    const picture: IconName = state === "muted" ? "microphone-off" : "microphone";
    if (picture !== drawn) button.replaceChildren(createIcon(picture), label);
    drawn = picture;
    for (const each of [button, small]) {
      show(each, possible);
      if (state === "opening") each.setAttribute("aria-busy", "true");
      else each.removeAttribute("aria-busy");
    }

    const asked = session.consents.voice === "asked" && state === "off";
    if (state !== "off") offering = false;
    setText(title, asked ? t("voice.asked", { agent: agent() }) : t("voice.offer"));
    const recorded = session.recording === "on" && !customer.paused;
    setText(hint, t("voice.hint", { agent: agent() }) + (recorded ? ` ${t("voice.hint.recorded")}` : ""));
    question.setAttribute("aria-label", title.textContent ?? "");
    show(question, possible && (asked || offering));

    heard.classList.toggle("accent", state === "on" && names !== "");
    if (state === "on" && names === "") setText(heardText, t("voice.unheard"));
    else if (state === "on") setText(heardText, t("voice.heard", { names }));
    else setText(heardText, t(state === "muted" ? "voice.muted" : "voice.opening"));
    setText(heardThere, heardText.textContent ?? "");
    for (const each of [heard, heardThere]) show(each, state !== "off");
    show(off, state !== "off");

    show(trouble, microphone.trouble !== null);
    setText(troubleText, microphone.trouble ? t(`voice.trouble.${microphone.trouble}`) : "");
    show(blocked, voices.blocked);
  }

  return { button, small: [small, heardThere], status: [heard, off], question, banners: [trouble, blocked], update };
}

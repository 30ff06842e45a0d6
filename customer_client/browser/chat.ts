import { createIcon } from "../../annotate/browser/icons";
import type { Customer } from "./customer";
import { element, setText, show } from "./elements";
import type { Page } from "./page";
import { refusalText } from "./refusals";
import { clock, t } from "./words";

/** The chat beside whatever is on the page; it opens by its button, and says what came while it was closed. */
export class Chat {
  readonly element: HTMLElement;
  /** Opens the chat, and carries the number of unread messages. */
  readonly button: HTMLButtonElement;
  readonly #customer: Customer;
  readonly #page: Page;
  readonly #lines = element("ol", { class: "lines", tabindex: "0" });
  readonly #input = element("textarea", { rows: 1, maxlength: 2000, id: "chat-input", enterkeyhint: "send" });
  readonly #trouble = element("p", { class: "error small", role: "alert" });
  readonly #empty = element("p", { class: "muted small" });
  readonly #count = element("span", { class: "badge strong count", hidden: true });
  readonly #spoken = element("span", { class: "visually-hidden" });
  #shown = 0;
  #read = 0;

  constructor(page: Page, customer: Customer) {
    this.#page = page;
    this.#customer = customer;
    this.button = element(
      "button",
      { type: "button", class: "button large chat-button", "aria-expanded": "false", onclick: () => this.toggle() },
      createIcon("chat"),
      element("span", {}, t("sharing.chat")),
      this.#count,
      this.#spoken,
    );
    this.#lines.setAttribute("aria-label", t("chat.title"));
    setText(this.#empty, t("chat.empty", { agent: this.#agent }));
    this.element = element(
      "aside",
      {
        class: "chat",
        hidden: true,
        "aria-label": t("chat.title"),
        onkeydown: (event: KeyboardEvent) => {
          if (event.key !== "Escape") return;
          event.stopPropagation();
          this.toggle(false);
        },
      },
      element(
        "header",
        { class: "spread" },
        element("h2", {}, t("chat.title")),
        element(
          "button",
          {
            type: "button",
            class: "button quiet icon",
            "aria-label": t("chat.close"),
            onclick: () => this.toggle(false),
          },
          createIcon("close"),
        ),
      ),
      this.#lines,
      this.#empty,
      element(
        "form",
        { class: "stack tight", onsubmit: (event: SubmitEvent) => this.#submit(event) },
        this.#trouble,
        element("label", { for: "chat-input", class: "visually-hidden" }, t("chat.label")),
        this.#input,
        element("button", { type: "submit", class: "button primary" }, t("chat.send")),
      ),
    );
    this.#input.placeholder = t("chat.label");
    this.#input.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#input.form?.requestSubmit();
    });
    this.#shown = this.#read = 0;
    this.update(true);
  }

  get open(): boolean {
    return !this.element.hidden;
  }

  toggle(open = !this.open): void {
    show(this.element, open);
    this.button.setAttribute("aria-expanded", String(open));
    if (open) this.#input.focus();
    else this.button.focus();
    this.update();
  }

  /** Brings the lines up to date; `quietly` without speaking of them. */
  update(quietly = false): void {
    const { chat } = this.#customer.session;
    const atEnd = this.#lines.scrollHeight - this.#lines.scrollTop - this.#lines.clientHeight < 40;
    for (const { author, text, at } of chat.slice(this.#shown)) {
      const mine = author === this.#customer.place.participant || this.#isCustomer(author);
      const name = mine ? t("chat.you") : (this.#customer.session.participants[author]?.name ?? this.#agent);
      const line = element(
        "li",
        { class: mine ? "mine" : null },
        element("span", { class: "small muted" }, `${name} · ${clock(at)}`),
        element("p", {}, text),
      );
      const onItsWay = [...this.#lines.querySelectorAll(".pending")];
      if (mine) onItsWay.find((each) => each.lastElementChild?.textContent === text)?.remove();
      this.#lines.insertBefore(line, this.#lines.querySelector(".pending"));
      if (!mine && !quietly) this.#page.announce(t("chat.new", { agent: name, text }));
    }
    const grew = chat.length > this.#shown;
    this.#shown = chat.length;
    if (grew && atEnd) this.#lines.scrollTop = this.#lines.scrollHeight;
    if (this.open || quietly) this.#read = this.#shown;
    const unread = this.#shown - this.#read;
    show(this.#count, unread > 0);
    setText(this.#count, String(unread));
    setText(this.#spoken, unread > 0 ? t("sharing.unread", { count: unread }) : "");
    show(this.#empty, this.#lines.childElementCount === 0);
    show(this.#lines, this.#lines.childElementCount > 0);
  }

  close(): void {
    this.element.remove();
    this.button.remove();
  }

  get #agent(): string {
    return this.#customer.session.agent?.name ?? t("name.staff");
  }

  #isCustomer(participant: string): boolean {
    return this.#customer.session.participants[participant]?.role === "customer";
  }

  #submit(event: SubmitEvent): void {
    event.preventDefault();
    const text = this.#input.value.trim();
    if (text === "") return;
    setText(this.#trouble, "");
    this.#input.value = "";
    void this.#say(text);
  }

  /** The line stands there at once, marked as being on its way; a refused one goes back to where it was typed. */
  async #say(text: string): Promise<void> {
    const pending = element(
      "li",
      { class: "mine pending" },
      element("span", { class: "small muted" }, t("chat.sending")),
      element("p", {}, text),
    );
    this.#lines.append(pending);
    this.update();
    this.#lines.scrollTop = this.#lines.scrollHeight;
    const refused = await this.#customer.say(text);
    pending.remove();
    this.update();
    if (refused === null) return;
    setText(this.#trouble, t("chat.refused", { text: refusalText(refused) }));
    if (this.#input.value === "") this.#input.value = text;
  }
}

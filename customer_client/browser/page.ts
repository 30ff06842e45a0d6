import { element, setText } from "./elements";
import { type Key, languageSwitch, t } from "./words";

/** What fills the page: made once, then kept up to date, so that focus and what was typed stay. */
export interface Screen {
  element: HTMLElement;
  title: string;
  /** Takes all there is, without the page's header. */
  full?: boolean;
  update(): void;
  close?(): void;
}

/** The page around the screens: its header, its language, and the voice that tells screen readers what changed. */
export class Page {
  readonly #main = element("main", { id: "main", tabindex: "-1" });
  readonly #header = element("header", { class: "top" });
  readonly #polite = element("div", { class: "visually-hidden", "aria-live": "polite", role: "status" });
  readonly #name = element("span", { class: "organization" });
  readonly #title: Key;
  #key = "";
  #make: (() => Screen) | null = null;
  #screen: Screen | null = null;
  #redrawn: () => void = () => undefined;

  constructor(title: Key) {
    this.#title = title;
    document.body.append(this.#header, this.#main, this.#polite);
    this.#drawHeader();
  }

  set organization(name: string) {
    setText(this.#name, name);
  }

  /** Called after the language has changed. */
  set redrawn(action: () => void) {
    this.#redrawn = action;
  }

  /** Shows the screen called `key`, or brings it up to date when it is there already. */
  show(key: string, make: () => Screen): void {
    if (key === this.#key) {
      this.#screen?.update();
      return;
    }
    const first = this.#key === "";
    this.#key = key;
    this.#make = make;
    this.#replace();
    if (!first) this.#focusTitle();
  }

  announce(text: string): void {
    // The same text twice would be no change, so nothing would be spoken.
    this.#polite.textContent = "";
    setTimeout(() => setText(this.#polite, text), 50);
  }

  #replace(): void {
    this.#screen?.close?.();
    const screen = this.#make?.() ?? null;
    this.#screen = screen;
    if (!screen) return;
    this.#header.hidden = screen.full === true;
    this.#main.className = screen.full ? "full" : "page narrow";
    this.#main.replaceChildren(screen.element);
    document.title = screen.title;
    screen.update();
  }

  #focusTitle(): void {
    const title = this.#main.querySelector("h1");
    title?.setAttribute("tabindex", "-1");
    title?.focus({ preventScroll: true });
    window.scrollTo(0, 0);
  }

  #drawHeader(): void {
    this.#header.replaceChildren(
      element("a", { class: "skip", href: "#main", onclick: (event: MouseEvent) => this.#skip(event) }, t("page.skip")),
      this.#name,
      languageSwitch(() => {
        document.title = t(this.#title);
        this.#drawHeader();
        this.#replace();
        this.#redrawn();
        this.#header.querySelector("select")?.focus();
      }),
    );
  }

  #skip(event: MouseEvent): void {
    // The fragment of the address carries invitations, so it is left alone.
    event.preventDefault();
    this.#main.focus();
  }
}

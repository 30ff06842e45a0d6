import { createIcon } from "../../../annotate/browser/icons";
import { mustHold } from "../../../signaling/browser/session";
import type { Customer } from "../customer";
import { element, setText, show } from "../elements";
import { between, type Mask, moved, resized } from "../masks";
import type { Page } from "../page";
import { t } from "../words";

/** How far an arrow key moves a cover, or its edge. */
const STEP = 0.01;
/** What the keyboard begins with: a quarter of each side, in the middle. */
const MIDDLE: Mask = { left: 0.375, top: 0.375, right: 0.625, bottom: 0.625 };
const ARROWS: Record<string, readonly [number, number]> = {
  ArrowLeft: [-STEP, 0],
  ArrowRight: [STEP, 0],
  ArrowUp: [0, -STEP],
  ArrowDown: [0, STEP],
};

type Point = readonly [number, number];

/** All about covering parts of what is shared, in the page and on the mirror. */
export interface CoverParts {
  /** In the bar. */
  button: HTMLButtonElement;
  /** Lies over the mirror's picture, where covers are dragged. */
  layer: HTMLElement;
  /** What to do, and the ways to do it without dragging. */
  panel: HTMLElement;
  status: HTMLElement;
  banner: HTMLElement;
  update(): void;
}

export function coverParts(page: Page, customer: Customer): CoverParts {
  const { screen } = customer;
  let open = customer.unseen;
  let size = "";
  let doubtful = false;

  const label = element("span", {}, t("cover.button"));
  const button = element(
    "button",
    { type: "button", class: "button large", onclick: () => (open ? leave() : enter()) },
    createIcon("cover"),
    label,
  );
  const hint = element("p", { class: "small muted hint" }, t("cover.hint"));
  const keys = element("p", { id: "cover-keys", class: "small muted keys" }, t("cover.keys"));
  const title = element("strong");
  const add = element("button", { type: "button", class: "button", onclick: () => addInTheMiddle() }, t("cover.add"));
  const done = element("button", { type: "button", class: "button primary", onclick: () => finish() });
  const panel = element(
    "section",
    { class: "card spread question covering", role: "group", "aria-label": t("cover.button"), hidden: true },
    element("div", { class: "grow" }, title, hint, keys),
    element("div", { class: "row" }, add, done),
  );
  const count = element("span");
  const status = element("p", { class: "badge covered", hidden: true }, createIcon("cover"), count);
  const bannerText = element("span", { class: "grow" }, t("cover.changed"));
  const banner = element(
    "p",
    { class: "banner warning", role: "status", hidden: true },
    createIcon("warning"),
    bannerText,
    element("button", { type: "button", class: "button small", onclick: () => enter() }, t("cover.look")),
  );
  const layer = element("div", { class: "covers", hidden: true, onpointerdown: (event: PointerEvent) => draw(event) });
  const covers: HTMLElement[] = [];

  function enter(): void {
    open = true;
    doubtful = false;
    update();
    add.focus();
  }

  function leave(): void {
    open = false;
    update();
    button.focus();
  }

  function finish(): void {
    if (goesOn()) customer.resume();
    leave();
  }

  /** Whether "done" shows the screen as well. */
  function goesOn(): boolean {
    return customer.paused && !mustHold(customer.session);
  }

  function pressed(event: KeyboardEvent): void {
    if (event.key !== "Escape" || !open) return;
    event.preventDefault();
    leave();
  }
  for (const each of [panel, layer]) each.addEventListener("keydown", pressed);

  function replace(index: number, mask: Mask | null): void {
    const masks = [...screen.masks];
    if (mask) masks[index] = mask;
    else masks.splice(index, 1);
    customer.cover(masks);
  }

  function addInTheMiddle(): void {
    // One after another is put a little aside: else it could not be told from the one below.
    const aside = (screen.masks.length % 8) * 2 * STEP;
    customer.cover([...screen.masks, moved(MIDDLE, aside, aside)]);
    covers.at(-1)?.querySelector("button")?.focus();
  }

  function remove(index: number): void {
    replace(index, null);
    page.announce(t("cover.removed"));
    (covers[Math.min(index, covers.length - 1)]?.querySelector("button") ?? add).focus();
  }

  /** Follows the pointer until it is let go; `move` is given where it is and how far it has come, in fractions. */
  function drag(event: PointerEvent, move: (at: Point, by: Point) => void, ended: () => void = () => undefined): void {
    if (event.button !== 0) return;
    event.preventDefault();
    event.stopPropagation();
    const box = layer.getBoundingClientRect();
    const at = ({ clientX, clientY }: PointerEvent): Point => [
      (clientX - box.x) / box.width,
      (clientY - box.y) / box.height,
    ];
    const from = at(event);
    const listening = new AbortController();
    const follow = (next: PointerEvent) => {
      const [x, y] = at(next);
      move([x, y], [x - from[0], y - from[1]]);
    };
    const end = () => {
      listening.abort();
      ended();
    };
    layer.setPointerCapture(event.pointerId);
    layer.addEventListener("pointermove", follow, { signal: listening.signal });
    for (const type of ["pointerup", "pointercancel"] as const) {
      layer.addEventListener(type, end, { signal: listening.signal });
    }
  }

  function draw(event: PointerEvent): void {
    const before = screen.masks;
    let start: Point | undefined;
    drag(event, (at, by) => {
      start ??= [at[0] - by[0], at[1] - by[1]];
      const mask = between(start, at);
      customer.cover(mask ? [...before, mask] : before);
    });
  }

  function cover(): HTMLElement {
    const index = () => covers.indexOf(made);
    const change = (event: PointerEvent, by: typeof moved) => {
      const mask = screen.masks[index()];
      if (mask) drag(event, (_, [x, y]) => replace(index(), by(mask, x, y)));
    };
    const keyed = (event: KeyboardEvent) => {
      const mask = screen.masks[index()];
      const way = ARROWS[event.key];
      if (!mask) return;
      if (event.key === "Delete" || event.key === "Backspace") remove(index());
      else if (way) replace(index(), (event.shiftKey ? resized : moved)(mask, ...way));
      else return;
      event.preventDefault();
      const now = screen.masks[index()];
      if (now) page.announce(placeText(now));
    };
    const made: HTMLElement = element(
      "div",
      { class: "cover" },
      element("button", {
        type: "button",
        class: "cover-body",
        "aria-describedby": "cover-keys",
        onpointerdown: (event: PointerEvent) => change(event, moved),
        onkeydown: keyed,
      }),
      element("span", { class: "cover-corner", onpointerdown: (event: PointerEvent) => change(event, resized) }),
      element(
        "button",
        {
          type: "button",
          class: "cover-remove",
          onpointerdown: (event: PointerEvent) => event.stopPropagation(),
          onclick: () => remove(index()),
        },
        createIcon("close"),
      ),
    );
    return made;
  }

  function place(): void {
    const { masks } = screen;
    while (covers.length > masks.length) covers.pop()?.remove();
    while (covers.length < masks.length) {
      const made = cover();
      covers.push(made);
      layer.append(made);
    }
    for (const [index, mask] of masks.entries()) {
      const made = covers[index];
      if (!made) continue;
      const percent = (value: number) => `${value * 100}%`;
      made.style.left = percent(mask.left);
      made.style.top = percent(mask.top);
      made.style.width = percent(mask.right - mask.left);
      made.style.height = percent(mask.bottom - mask.top);
      const [body, , remover] = made.children;
      body?.setAttribute("aria-label", t("cover.name", { number: index + 1 }));
      remover?.setAttribute("aria-label", t("cover.remove", { number: index + 1 }));
    }
  }

  function update(): void {
    const live = customer.track !== null;
    const { masks, surface } = screen;
    const measured = surface ? `${surface.width}/${surface.height}` : "";
    if (measured !== size) {
      if (size !== "" && measured !== "" && masks.length > 0 && !open) {
        doubtful = true;
        page.announce(t("cover.changed"));
      }
      size = measured;
      if (surface) layer.style.setProperty("--ratio", String(surface.width / surface.height));
    }
    place();
    show(button, live);
    button.setAttribute("aria-pressed", String(open));
    show(panel, live && open);
    show(layer, live && open && customer.session.shown === null);
    setText(title, t(customer.unseen ? "cover.unseen" : "cover.title"));
    setText(done, t(goesOn() ? "cover.done.show" : "cover.done"));
    setText(count, t("cover.count", { count: masks.length }));
    show(status, live && masks.length > 0);
    show(banner, live && doubtful && masks.length > 0);
  }

  return { button, layer, panel, status, banner, update };
}

/** Where a cover lies, in words. */
function placeText({ left, top, right, bottom }: Mask): string {
  const percent = (value: number) => Math.round(value * 100);
  return t("cover.place", {
    left: percent(left),
    top: percent(top),
    width: percent(right - left),
    height: percent(bottom - top),
  });
}

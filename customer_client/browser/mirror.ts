import { InkLayer } from "../../annotate/browser/ink";
import { authorColor } from "../../annotate/browser/palette";
import { shownSurface } from "../../signaling/browser/session";
import type { Customer } from "./customer";
import { element, show } from "./elements";
import { fetchPicture } from "./participation";
import { t } from "./words";

/** What is shared, as those who watch see it, with their ink and their pointers over it. */
export class Mirror {
  readonly element = element("div", { class: "mirror" });
  readonly #customer: Customer;
  readonly #picture = element("img", { hidden: true });
  readonly #ink: InkLayer;
  readonly #listeners: (() => void)[];
  #shown: string | null = null;
  #url = "";

  constructor(customer: Customer) {
    this.#customer = customer;
    const { mirror } = customer.screen;
    mirror.setAttribute("aria-label", t("sharing.you"));
    this.element.append(mirror, this.#picture);
    this.#ink = new InkLayer(mirror, this.element, { now: () => customer.now });
    this.#listeners = [
      customer.on("pointer", ({ sender, pointer }) => {
        const mark = {
          at: [pointer.x, pointer.y] as [number, number],
          name: this.#name(sender),
          color: this.#color(sender),
        };
        this.#ink.setPointer(sender, pointer.surface, pointer.visible ? mark : null);
      }),
      customer.on("drawing", ({ sender, annotation }) => this.#ink.setDrawing(sender, annotation)),
      customer.on("event", ({ body }) => {
        if (body.type === "left") this.#ink.forget(body.participant);
      }),
    ];
  }

  update(): void {
    const { session, board } = this.#customer;
    const surface = shownSurface(session);
    if (this.#ink.board !== board) this.#ink.board = board;
    const snapshot = session.shown;
    if (snapshot !== this.#shown) void this.#look(snapshot);
    if (this.#ink.surface !== (surface?.id ?? null)) this.#ink.surface = surface?.id ?? null;
  }

  /** After the element was put into another window, or its size changed there. */
  refresh(): void {
    if (this.#customer.track) void this.#customer.screen.mirror.play().catch(() => undefined);
    this.#ink.refresh();
  }

  close(): void {
    for (const stop of this.#listeners) stop();
    this.#ink.close();
    URL.revokeObjectURL(this.#url);
  }

  async #look(snapshot: string | null): Promise<void> {
    this.#shown = snapshot;
    const { screen, agents, place } = this.#customer;
    const { mirror } = screen;
    if (snapshot === null) {
      this.#ink.element = mirror;
    } else {
      const picture = await fetchPicture(place, snapshot).catch(() => null);
      if (this.#shown !== snapshot) return;
      if (!picture) {
        // Without the picture there is nothing to draw on; the next change of anything tries again.
        this.#shown = null;
        return;
      }
      URL.revokeObjectURL(this.#url);
      this.#url = URL.createObjectURL(picture);
      this.#picture.src = this.#url;
      this.#picture.alt = t("picture.alt", { agent: agents[0]?.name ?? t("name.staff") });
      this.#ink.element = this.#picture;
    }
    show(mirror, snapshot === null);
    show(this.#picture, snapshot !== null);
    this.#ink.refresh();
  }

  #name(participant: string): string {
    return this.#customer.session.participants[participant]?.name ?? "";
  }

  #color(participant: string): string {
    const people = Object.values(this.#customer.session.participants).filter(({ role }) => role !== "recorder");
    return authorColor(
      Math.max(
        0,
        people.findIndex(({ id }) => id === participant),
      ),
    );
  }
}

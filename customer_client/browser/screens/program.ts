import type { Customer } from "../customer";
import { element, setText, show } from "../elements";
import type { Client } from "../http";
import { clientFor, clients } from "../participation";
import { fitting } from "../systems";
import { t } from "../words";

const NAMES: Record<string, string> = { linux: "Linux", macos: "macOS", windows: "Windows" };
const MIB = 1024 * 1024;

/** The program for this computer, where the server has one: it shows more than a browser can. */
export function programOffer(customer: Customer): HTMLElement {
  const get = element("button", { class: "button small", type: "button", onclick: () => void download() });
  const told = element("p", { class: "small", role: "status", hidden: true });
  const offer = element(
    "section",
    { class: "stack tight program", hidden: true },
    element("p", { class: "small muted" }),
    get,
    told,
  );
  let found: Client | undefined;

  async function download(): Promise<void> {
    if (!found) return;
    show(told, true);
    setText(told, t("program.asking"));
    try {
      const { address, code } = await clientFor(customer.place, found.system);
      element("a", { href: address, download: "" }).click();
      setText(told, t("program.how", { code }));
    } catch {
      setText(told, t("program.failed"));
    }
  }

  // Without an answer the page does without: nothing that it needs is missing.
  void clients().then(
    (all) => {
      found = fitting(all, navigator.userAgent);
      if (!found) return;
      const system = NAMES[found.system.split("-")[0] ?? ""] ?? "";
      setText(offer.firstElementChild as HTMLElement, t("program.text"));
      setText(get, t("program.get", { system, size: String(Math.ceil(found.bytes / MIB)) }));
      show(offer, true);
    },
    () => undefined,
  );
  return offer;
}

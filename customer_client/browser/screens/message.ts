import { element } from "../elements";
import type { Screen } from "../page";

export interface Action {
  label: string;
  run: () => void;
  primary?: boolean;
}

/** A title, a few words, and what can be done. */
export function messageScreen(title: string, text: string, actions: Action[] = [], extra?: HTMLElement): Screen {
  const buttons = actions.map(({ label, run, primary }) =>
    element(
      "button",
      { type: "button", class: primary ? "button primary large" : "button large", onclick: run },
      label,
    ),
  );
  return {
    title,
    element: element(
      "section",
      { class: "stack loose" },
      element("h1", {}, title),
      element("p", { class: "lead" }, text),
      buttons.length > 0 && element("div", { class: "row" }, ...buttons),
      extra,
    ),
    update: () => undefined,
  };
}

/** What is seen while it is not known yet what there is. */
export function loadingScreen(title: string, waiting: string): Screen {
  const line = (width: string) => element("span", { class: `skeleton ${width}` });
  return {
    title,
    element: element(
      "section",
      { class: "stack loose", "aria-busy": "true" },
      element("h1", { class: "unseen" }, waiting),
      line("tall"),
      line("half"),
      element("div", { class: "card stack" }, line("whole"), line("whole"), line("half")),
    ),
    update: () => undefined,
  };
}

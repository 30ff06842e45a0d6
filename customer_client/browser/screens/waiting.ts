import type { Customer } from "../customer";
import { element, setText } from "../elements";
import type { Page, Screen } from "../page";
import { details, helpArticles } from "../participation";
import { duration, t } from "../words";

const ASK_EVERY_MS = 5_000;

/** Before an agent is there: the place in the line, the time waited, and articles that may help meanwhile. */
export function waitingScreen(page: Page, customer: Customer, leave: () => void): Screen {
  const place = element("p", { class: "lead" });
  const waited = element("p", { class: "muted number" });
  const articles = element("ul", { class: "rows" });
  const suggestions = element(
    "section",
    { class: "stack tight", hidden: true },
    element("h2", {}, t("waiting.articles")),
    articles,
  );
  let position = 0;
  let since = Date.now();
  let problem = "";

  const tick = () => setText(waited, t("waiting.waited", { time: duration(Date.now() - since) }));
  const ask = async () => {
    const { waiting } = await details(customer.place);
    if (!waiting) {
      setText(place, t("waiting.agent", { organization: customer.session.organization }));
      return;
    }
    since = Date.now() - waiting.waited_ms;
    const text = waiting.position <= 1 ? t("waiting.first") : t("waiting.position", { position: waiting.position });
    if (waiting.position !== position) page.announce(text);
    position = waiting.position;
    setText(place, text);
    tick();
  };
  const suggest = async () => {
    const found = (await helpArticles(problem)).slice(0, 4);
    articles.replaceChildren(
      ...found.map(({ title, url }) =>
        element(
          "li",
          {},
          element(
            "a",
            { class: "item", href: url, target: "_blank", rel: "noopener" },
            title,
            element("span", { class: "visually-hidden" }, ` (${t("waiting.newtab")})`),
          ),
        ),
      ),
    );
    suggestions.hidden = found.length === 0;
  };
  // What could not be asked now is asked again in five seconds; meanwhile the page shows what it knew.
  const asking = setInterval(() => void ask().catch(() => undefined), ASK_EVERY_MS);
  const ticking = setInterval(tick, 1_000);
  void ask().catch(() => undefined);

  return {
    title: t("waiting.title"),
    element: element(
      "section",
      { class: "stack loose" },
      element("h1", {}, t("waiting.title")),
      element("div", { class: "card stack tight" }, place, waited),
      element("p", {}, t("waiting.keep")),
      suggestions,
      element(
        "div",
        { class: "row" },
        element("button", { class: "button", type: "button", onclick: leave }, t("waiting.leave")),
      ),
    ),
    update: () => {
      const { subject } = customer.session;
      if (subject === problem) return;
      problem = subject;
      void suggest().catch(() => undefined);
    },
    close: () => {
      clearInterval(asking);
      clearInterval(ticking);
    },
  };
}

import type { Customer } from "../customer";
import { element, setText, show } from "../elements";
import { createFace } from "../faces";
import type { Page, Screen } from "../page";
import { details, giveFeedback } from "../participation";
import { receipt, summarize } from "../receipt";
import { t } from "../words";

const SCORES = [1, 2, 3, 4, 5] as const;

/** Thanks, what was shared and with whom, one question, and the receipt; and the way back while the session lives. */
export function afterwardsScreen(page: Page, customer: Customer, again: () => void, leave: () => void): Screen {
  const agent = customer.session.agent?.name ?? t("name.staff");
  const state = element("p", { class: "lead", role: "status" });
  const unsent = element("p", { class: "banner warning", role: "status", hidden: true }, t("after.unsent"));
  const asked = element("p", { class: "banner", role: "status", hidden: true }, t("after.asked", { agent }));
  const facts = element("dl", { class: "facts" });
  const ways = element(
    "div",
    { class: "row" },
    element("button", { type: "button", class: "button large primary", onclick: again }, t("after.again")),
    element("button", { type: "button", class: "button large", onclick: leave }, t("after.leave")),
  );
  const farewell = element("p", { class: "muted" }, t("after.close"));

  function update(): void {
    const { session } = customer;
    const open = session.phase !== "ended" && !customer.left && customer.closed === null;
    const { duration, viewers, recorded, pictures } = summarize(customer);
    setText(state, open ? t("after.open", { agent }) : t("after.closed"));
    show(unsent, customer.unsettled && customer.link !== "online" && !customer.left);
    show(asked, open && session.consents.view === "asked");
    show(ways, open);
    show(farewell, !open);
    const lines: [string, string][] = [
      [t("after.duration"), duration],
      [t("after.viewers"), viewers],
      [t("after.recorded"), t(recorded ? "after.recorded.yes" : "after.recorded.no")],
      ...(pictures > 0 ? ([[t("after.pictures"), String(pictures)]] as [string, string][]) : []),
    ];
    if (facts.dataset.shown === JSON.stringify(lines)) return;
    facts.dataset.shown = JSON.stringify(lines);
    facts.replaceChildren(
      ...lines.map(([name, value]) =>
        element("div", {}, element("dt", {}, name), element("dd", { class: "number" }, value)),
      ),
    );
  }

  return {
    title: t("after.title"),
    element: element(
      "section",
      { class: "stack loose after" },
      element("h1", {}, t("after.title")),
      state,
      unsent,
      asked,
      ways,
      element("div", { class: "card" }, facts),
      feedback(page, customer),
      element(
        "div",
        { class: "stack tight" },
        element(
          "div",
          { class: "row" },
          element("button", { type: "button", class: "button", onclick: () => save(customer) }, t("after.receipt")),
        ),
        element("p", { class: "small muted" }, t("after.receipt.hint")),
      ),
      farewell,
    ),
    update,
  };
}

function feedback(page: Page, customer: Customer): HTMLElement {
  const trouble = element("p", { class: "error", role: "alert" });
  const thanks = element("p", { role: "status" });
  const faces = SCORES.map((score) => {
    const name = t(`after.face.${score}`);
    return element(
      "button",
      { type: "button", class: "face", "aria-label": name, title: name, onclick: () => void give(score) },
      createFace(score),
    );
  });
  const group = element("div", { class: "faces", role: "group", "aria-label": t("after.question") }, ...faces);

  async function give(score: number): Promise<void> {
    setText(trouble, "");
    for (const [index, face] of faces.entries()) face.setAttribute("aria-pressed", String(index + 1 === score));
    try {
      await giveFeedback(customer.place, score);
      setText(thanks, t("after.thanks"));
      page.announce(t("after.thanks"));
      show(group, false);
    } catch {
      setText(trouble, t("after.feedback.failed"));
    }
  }

  const known = async () => {
    const { feedback_given: given } = await details(customer.place);
    if (!given) return;
    setText(thanks, t("after.thanks"));
    show(group, false);
  };
  // Without an answer the question stays: asking twice does no harm.
  void known().catch(() => undefined);
  return element("section", { class: "stack tight" }, element("h2", {}, t("after.question")), group, trouble, thanks);
}

function save(customer: Customer): void {
  const url = URL.createObjectURL(receipt(customer));
  const link = element("a", { href: url, download: `${customer.place.session}.html` });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

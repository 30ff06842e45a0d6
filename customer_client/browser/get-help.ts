import "../../annotate/browser/design.css";
import "./page.css";
import "./sharing.css";
import { element, setText } from "./elements";
import { Page, type Screen } from "./page";
import { askForHelp, organization, resume } from "./participation";
import { failureText } from "./screens/code";
import { visit } from "./visit";
import { t } from "./words";

const page = new Page("page.help");
let name = t("name.organization");

/** Who asks, and what is wrong; afterwards the same page waits, and goes on into the session. */
function helpScreen(): Screen {
  const lead = element("p", { class: "lead" });
  const trouble = element("p", { class: "banner danger", role: "alert", hidden: true });
  const person = element("input", {
    id: "name",
    autocomplete: "name",
    maxlength: 100,
    "aria-describedby": "name-trouble",
  });
  const problem = element("textarea", {
    id: "problem",
    maxlength: 2000,
    rows: 4,
    "aria-describedby": "problem-hint problem-trouble",
  });
  const send = element("button", { type: "submit", class: "button primary large" }, t("help.send"));
  const complaints = {
    name: element("small", { class: "error", id: "name-trouble" }),
    problem: element("small", { class: "error", id: "problem-trouble" }),
  };

  const require = (input: HTMLInputElement | HTMLTextAreaElement, complaint: HTMLElement, text: string): boolean => {
    const missing = input.value.trim() === "";
    setText(complaint, missing ? text : "");
    input.setAttribute("aria-invalid", String(missing));
    return !missing;
  };
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    if (send.hasAttribute("aria-busy")) return;
    const described = require(problem, complaints.problem, t("help.problem.missing"));
    const named = require(person, complaints.name, t("help.name.missing"));
    if (!named || !described) {
      (named ? problem : person).focus();
      return;
    }
    send.setAttribute("aria-busy", "true");
    trouble.hidden = true;
    try {
      visit(page, await askForHelp(person.value.trim(), problem.value.trim()));
    } catch (failure) {
      setText(trouble, failureText(failure, t("failed.text", { id: "–" })));
      trouble.hidden = false;
    } finally {
      send.removeAttribute("aria-busy");
    }
  };

  return {
    title: t("help.title"),
    element: element(
      "section",
      { class: "stack loose" },
      element("h1", {}, t("help.title")),
      lead,
      element(
        "form",
        { class: "stack", novalidate: true, onsubmit: submit },
        trouble,
        element("div", { class: "field" }, element("label", { for: "name" }, t("help.name")), person, complaints.name),
        element(
          "div",
          { class: "field" },
          element("label", { for: "problem" }, t("help.problem")),
          problem,
          element("small", { id: "problem-hint" }, t("help.problem.hint")),
          complaints.problem,
        ),
        element("div", { class: "row" }, send),
      ),
      element("p", { class: "muted" }, element("a", { href: "/join" }, t("help.code"))),
    ),
    update: () => {
      page.organization = name;
      setText(lead, t("help.lead", { organization: name }));
    },
  };
}

async function start(): Promise<void> {
  // Who loads the page again goes on waiting; who comes to it anew asks anew.
  const [navigation] = performance.getEntriesByType("navigation") as PerformanceNavigationTiming[];
  const place = navigation?.type === "reload" ? await resume().catch(() => null) : null;
  if (place) {
    visit(page, place);
    return;
  }
  page.show("help", helpScreen);
  name = await organization().catch(() => name);
  page.show("help", helpScreen);
}

void start();

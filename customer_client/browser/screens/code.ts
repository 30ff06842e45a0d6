import { element, setText, show } from "../elements";
import type { Screen } from "../page";
import { Failure } from "../participation";
import { t } from "../words";

const LETTERS = 8;
/** Crockford's base32 has no I, L, O: whoever writes them means 1, 1, 0. */
const MISREAD: Record<string, string> = { I: "1", L: "1", O: "0" };

/** The code's letters as they are meant: capital, without blanks and dashes. */
export function readCode(typed: string): string {
  return [...typed.toUpperCase()]
    .map((letter) => MISREAD[letter] ?? letter)
    .filter((letter) => /[0-9A-Z]/.test(letter))
    .join("");
}

function shown(code: string): string {
  return code.length > 4 ? `${code.slice(0, 4)}-${code.slice(4, LETTERS)}` : code;
}

/** Where a spoken code is typed; `notice` says why one is needed. */
export function codeScreen(join: (code: string) => Promise<void>, notice: string | null): Screen {
  const trouble = element("small", { class: "error", id: "code-trouble", role: "alert" });
  const input = element("input", {
    id: "code",
    class: "code-input",
    autocomplete: "off",
    autocapitalize: "characters",
    spellcheck: "false",
    inputmode: "text",
    maxlength: 20,
    "aria-describedby": "code-hint code-trouble",
    oninput: () => {
      if (input.selectionStart === input.value.length) input.value = shown(readCode(input.value));
    },
  });
  const button = element("button", { class: "button primary large", type: "submit" }, t("code.join"));

  const complain = (text: string) => {
    setText(trouble, text);
    input.setAttribute("aria-invalid", "true");
    input.focus();
  };
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    if (button.hasAttribute("aria-busy")) return;
    const code = readCode(input.value);
    if (code.length !== LETTERS) {
      complain(t("code.incomplete", { count: code.length }));
      return;
    }
    setText(trouble, "");
    input.removeAttribute("aria-invalid");
    button.setAttribute("aria-busy", "true");
    try {
      await join(shown(code));
    } catch (failure) {
      complain(failureText(failure, t("unusable.code")));
    } finally {
      button.removeAttribute("aria-busy");
    }
  };

  const warning = element("div", { class: "banner warning", role: "alert" }, notice);
  show(warning, notice !== null);
  return {
    title: t("code.title"),
    element: element(
      "section",
      { class: "stack loose" },
      warning,
      element("h1", {}, t("code.title")),
      element("p", { class: "lead" }, t("code.lead")),
      element(
        "form",
        { class: "stack", novalidate: true, onsubmit: submit },
        element(
          "div",
          { class: "field" },
          element("label", { for: "code" }, t("code.label")),
          input,
          element("small", { id: "code-hint" }, t("code.hint")),
          trouble,
        ),
        element("div", { class: "row" }, button),
      ),
      element("p", { class: "muted" }, t("code.link"), " ", element("a", { href: "/get-help" }, t("code.help"))),
    ),
    update: () => undefined,
  };
}

/** What went wrong with a request, and what to do, in the page's language; `gone` is what a 410 means here. */
export function failureText(failure: unknown, gone: string): string {
  if (!(failure instanceof Failure) || failure.status === 0) return t("offline.text");
  if (failure.status === 429) return t("busy.text");
  if (failure.status >= 500) return t("failed.text", { id: failure.id || "–" });
  return gone;
}

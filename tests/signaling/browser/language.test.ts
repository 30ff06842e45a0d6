import { afterEach, expect, test, vi } from "vitest";
import { createTranslator, fill, isLanguage, localeOf } from "../../../signaling/browser/language";

const UNREAD = "{count, plural, one {# сообщение} few {# сообщения} many {# сообщений} other {# сообщения}}, {name}";

test("a plural follows the rules of its language", () => {
  const russian = [1, 3, 5, 21, 112].map((count) => fill(UNREAD, { count, name: "Dana" }, "ru"));
  expect(russian).toEqual([
    "1 сообщение, Dana",
    "3 сообщения, Dana",
    "5 сообщений, Dana",
    "21 сообщение, Dana",
    "112 сообщений, Dana",
  ]);
});

test("what is filled in is not read as a template again", () => {
  expect(fill("{a} {b}", { a: "{b}", b: "c" }, "en")).not.toBe("c c");
  expect(fill("{name}", { name: "$& {x}" }, "en")).toBe("$& {x}");
});

test("a value that is missing stays visible instead of vanishing", () => {
  expect(fill("Hello {name}", {}, "en")).toBe("Hello {name}");
});

test("a text that a language lacks is taken from English", () => {
  const dictionaries = {
    en: { yes: "yes", no: "no" },
    ru: { yes: "да" } as { yes: string; no: string },
    el: { yes: "ναι", no: "όχι" },
  };
  const { t } = createTranslator(dictionaries, "ru");
  expect([t("yes"), t("no")]).toEqual(["да", "no"]);
});

test("a name that every object has is no language", () => {
  expect(["en", "toString", "__proto__", null, 3].map(isLanguage)).toEqual([true, false, false, false, false]);
});

afterEach(() => vi.unstubAllGlobals());

test("times are written as the reader's own variety of the language has them", () => {
  vi.stubGlobal("navigator", { languages: ["el-GR", "en-GB", "en-US"] });
  expect([localeOf("en"), localeOf("el"), localeOf("ru")]).toEqual(["en-GB", "el-GR", "ru"]);
});

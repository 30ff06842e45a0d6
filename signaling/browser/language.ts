// Words in the reader's language: dictionaries of flat keys, with the part of ICU MessageFormat that we need:
// `{name}` and `{count, plural, one {# minute} other {# minutes}}`.

export const LANGUAGES = { en: "English", ru: "Русский", el: "Ελληνικά" } as const;
export type Language = keyof typeof LANGUAGES;
export type Values = Readonly<Record<string, string | number>>;

export interface Translator<Key extends string = string> {
  readonly language: Language;
  /** The text of `key`, with its `{values}` filled in; a key that no dictionary has comes back as it is. */
  t(key: Key, values?: Values): string;
}

const STORED = "sightline.language";
/** The help centre is drawn by the server, which reads the choice from this cookie and sets it, too. */
const COOKIE = "language";
const KEPT_FOR_S = 365 * 24 * 3600;
const PLURAL = /\{(\w+), plural, ((?:\w+ \{[^{}]*\}\s*)+)\}/g;
const FORM = /(\w+) \{([^{}]*)\}/g;
const VALUE = /\{(\w+)\}/g;

export function isLanguage(value: unknown): value is Language {
  return typeof value === "string" && Object.hasOwn(LANGUAGES, value);
}

/** Fills a dictionary's text: plural forms first, by `language`'s rules (CLDR), then plain values. */
export function fill(text: string, values: Values, language: string): string {
  const numbers = new Intl.NumberFormat(language);
  const shown = (value: string | number) => (typeof value === "number" ? numbers.format(value) : value);
  return text
    .replace(PLURAL, (whole, name: string, forms: string) => {
      const count = values[name];
      if (typeof count !== "number") return whole;
      const byCategory = new Map([...forms.matchAll(FORM)].map((form) => [form[1], form[2]]));
      const form = byCategory.get(new Intl.PluralRules(language).select(count)) ?? byCategory.get("other") ?? "#";
      return form.replaceAll("#", shown(count));
    })
    .replace(VALUE, (whole, name: string) => {
      const value = values[name];
      return value === undefined ? whole : shown(value);
    });
}

/** A translator into `language`; a text that it lacks is taken from English. */
export function createTranslator<Key extends string>(
  dictionaries: Readonly<Record<Language, Readonly<Record<Key, string>>>>,
  language: Language,
): Translator<Key> {
  return {
    language,
    t: (key, values = {}) => fill(dictionaries[language][key] ?? dictionaries.en[key] ?? key, values, language),
  };
}

/** The language chosen here before, or the first of the browser's languages that we have, or English. */
export function detectLanguage(): Language {
  const chosen = stored();
  if (chosen) return chosen;
  for (const tag of navigator.languages) {
    const language = tag.toLowerCase().split("-")[0];
    if (isLanguage(language)) return language;
  }
  return "en";
}

/** The browser's own variety of a language, such as en-GB: it says how times and dates are written. */
export const localeOf = (language: Language): string =>
  navigator.languages.find((tag) => tag.toLowerCase().split("-")[0] === language) ?? language;

/** Keeps the reader's choice for the next visit, and tells the browser what the page is written in. */
export function chooseLanguage(language: Language): void {
  document.documentElement.lang = language;
  const secure = location.protocol === "https:" ? "; Secure" : "";
  // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API is not in every browser that we serve
  document.cookie = `${COOKIE}=${language}; Path=/; Max-Age=${KEPT_FOR_S}; SameSite=Lax${secure}`;
  try {
    localStorage.setItem(STORED, language);
  } catch {
    // A browser that stores nothing (private mode, blocked cookies) keeps the choice until the page is closed.
  }
}

function stored(): Language | null {
  const kept = new RegExp(`(?:^|; )${COOKIE}=(\\w+)`).exec(document.cookie)?.[1];
  if (isLanguage(kept)) return kept;
  try {
    const value = localStorage.getItem(STORED);
    return isLanguage(value) ? value : null;
  } catch {
    return null;
  }
}

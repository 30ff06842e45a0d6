import {
  chooseLanguage,
  createTranslator,
  detectLanguage,
  isLanguage,
  LANGUAGES,
  type Language,
  localeOf,
  type Translator,
  type Values,
} from "../../signaling/browser/language";
import { element } from "./elements";
import el from "./languages/el.json";
import en from "./languages/en.json";
import ru from "./languages/ru.json";

export type Key = keyof typeof en;

const dictionaries = { en, ru, el };
let translator: Translator<Key> = createTranslator<Key>(dictionaries, detectLanguage());
document.documentElement.lang = translator.language;

export function t(key: Key, values?: Values): string {
  return translator.t(key, values);
}

export function language(): Language {
  return translator.language;
}

/** "Maria", "Maria and Bob", "Maria, Bob and Eve". */
export function listed(names: readonly string[]): string {
  const last = names.at(-1) ?? "";
  return names.length < 2 ? last : t("list.and", { list: names.slice(0, -1).join(", "), last });
}

/** A length of time in words, to the second below a minute and to the minute below an hour. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return t("time.seconds", { count: seconds });
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return t("time.minutes", { count: minutes });
  const hours = t("time.hours", { count: Math.floor(minutes / 60) });
  return minutes % 60 === 0 ? hours : `${hours} ${t("time.minutes", { count: minutes % 60 })}`;
}

/** The time of day, to the minute, or to the second when it is `exact`. */
export function clock(at: number, exact = false): string {
  const seconds = exact ? ({ second: "2-digit" } as const) : {};
  return new Intl.DateTimeFormat(localeOf(language()), { hour: "2-digit", minute: "2-digit", ...seconds }).format(at);
}

export function day(at: number): string {
  return new Intl.DateTimeFormat(localeOf(language()), { dateStyle: "long" }).format(at);
}

/** The switch between languages; `changed` draws the page anew. */
export function languageSwitch(changed: () => void): HTMLElement {
  const select = element(
    "select",
    {
      "aria-label": t("page.language"),
      onchange: () => {
        if (!isLanguage(select.value)) return;
        chooseLanguage(select.value);
        translator = createTranslator<Key>(dictionaries, select.value);
        changed();
      },
    },
    ...Object.entries(LANGUAGES).map(([code, name]) =>
      element("option", { value: code, lang: code, selected: code === language() }, name),
    ),
  );
  return select;
}

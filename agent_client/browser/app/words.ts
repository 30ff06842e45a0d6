import { computed, signal } from "@preact/signals";
import {
  chooseLanguage,
  createTranslator,
  detectLanguage,
  type Language,
  localeOf,
  type Values,
} from "../../../signaling/browser/language";
import el from "../languages/el.json";
import en from "../languages/en.json";
import ru from "../languages/ru.json";

export type Word = keyof typeof en;

/** Whether the dictionaries have this key: one that is put together of parts may be unknown to them. */
export const isWord = (key: string): key is Word => Object.hasOwn(en, key);

export const language = signal<Language>(detectLanguage());
document.documentElement.lang = language.value;

const translator = computed(() => createTranslator<Word>({ en, ru, el }, language.value));

/** The text of `key` in the reader's language; what renders it is drawn again when the language changes. */
export const t = (key: Word, values?: Values): string => translator.value.t(key, values);

export function setLanguage(next: Language): void {
  chooseLanguage(next);
  language.value = next;
}

const twoDigits = (value: number): string => String(value).padStart(2, "0");

/** A length of time as a clock: 4:07, 1:02:03. */
export function clock(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  const rest = twoDigits(seconds % 60);
  return hours > 0 ? `${hours}:${twoDigits(minutes)}:${rest}` : `${minutes}:${rest}`;
}

/** A length of time in words, to the minute: "3 minutes". */
export function duration(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 1) return t("time.under_a_minute");
  if (minutes < 60) return t("time.minutes", { count: minutes });
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? t("time.hours", { count: hours }) : t("time.days", { count: Math.floor(hours / 24) });
}

/** The hour and minute of a moment (ms since 1970). */
export const hour = (at: number): string =>
  new Intl.DateTimeFormat(localeOf(language.value), { hour: "2-digit", minute: "2-digit" }).format(at);

/** The day, hour and minute of a moment (ms since 1970). */
export const moment = (at: number): string =>
  new Intl.DateTimeFormat(localeOf(language.value), { dateStyle: "medium", timeStyle: "short" }).format(at);

/** The day of a moment (ms since 1970). */
export const day = (at: number): string =>
  new Intl.DateTimeFormat(localeOf(language.value), { dateStyle: "medium" }).format(at);

/** How long ago, in words. */
export const ago = (at: number, now: number): string => t("time.ago", { duration: duration(now - at) });

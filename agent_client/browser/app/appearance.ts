import { signal } from "@preact/signals";

export const APPEARANCES = ["system", "light", "dark"] as const;
export type Appearance = (typeof APPEARANCES)[number];

const STORED = "sightline.appearance";

function stored(): Appearance {
  try {
    const value = localStorage.getItem(STORED);
    return APPEARANCES.find((appearance) => appearance === value) ?? "system";
  } catch {
    return "system";
  }
}

function wear(value: Appearance): void {
  if (value === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = value;
}

export const appearance = signal<Appearance>(stored());
wear(appearance.value);

/** Light, dark, or as the system has it; kept for the next visit. */
export function setAppearance(next: Appearance): void {
  appearance.value = next;
  wear(next);
  try {
    localStorage.setItem(STORED, next);
  } catch {
    // Storage may be blocked; the choice then lasts until the page is closed.
  }
}

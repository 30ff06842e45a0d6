/** Colors by author: eight that stand out from light and dark pictures alike, and from one another. */
export const PALETTE = [
  "#e5322d",
  "#2f6fed",
  "#1f8a3a",
  "#d1620a",
  "#8b4be8",
  "#0b8490",
  "#d12f8c",
  "#8f6a00",
] as const;

/** The color of the participant who came in as number `index`, counted from 0. */
export function authorColor(index: number): string {
  return PALETTE[index % PALETTE.length] ?? PALETTE[0];
}

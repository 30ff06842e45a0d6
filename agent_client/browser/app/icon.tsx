import { type Drawing, ICONS, type IconName as InkIconName } from "../../../annotate/browser/icons";

/** What the console needs beside the icons that both pages have; the same grid and the same line. */
const OWN = {
  article: { line: "M6 3.5h8.5L19 8v12.5H6zM14 3.5V8.5h5M9 12.5h7M9 16h7" },
  eye: {
    line: "M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12zM9.2 12a2.8 2.8 0 1 0 5.6 0a2.8 2.8 0 1 0-5.6 0",
  },
  fade: { line: "M4 20c4-1 5-4 8-4M13.5 13.5l1-1M16.5 10.5l1-1M19.5 7.5l1-1" },
  keyboard: { line: "M2.5 6.5h19v11h-19zM6 10h1M9.500 10h1M13 10h1M16.500 10h1M8 14h8" },
  menu: { line: "M4 5h16v14H4zM9.5 5v14" },
  person: { line: "M8.5 8a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0-7 0M5 20c.4-4 3.2-6 7-6s6.6 2 7 6" },
  plus: { line: "M12 5v14M5 12h14" },
  screen: { line: "M3.5 5h17v11.500h-17zM9 20.500h6M12 16.500v4" },
  send: { line: "M4.5 12L3.5 4.5 21 12 3.5 19.500zM4.5 12H12" },
  stay: { line: "M4 20c6 0 6-8 10-8s2 4 6-5" },
  waiting: {
    line: "M6.5 3.500h11M6.5 20.500h11M7.5 3.500c0 5 4.5 5.5 4.5 8.500s-4.5 3.5-4.5 8.500M16.5 3.500c0 5-4.5 5.5-4.5 8.500s4.5 3.5 4.5 8.5",
  },
} as const satisfies Record<string, Drawing>;

export type IconName = InkIconName | keyof typeof OWN;

const drawings: Readonly<Record<IconName, Drawing>> = { ...ICONS, ...OWN };

/** An icon, hidden from screen readers: the control around it carries the name. */
export function Icon({ name }: { name: IconName }) {
  const { line, solid } = drawings[name];
  return (
    <svg viewBox="0 0 24 24" class="icon-svg" aria-hidden="true" data-icon={name}>
      {line !== undefined && (
        <path
          d={line}
          fill="none"
          stroke="currentColor"
          stroke-width="1.75"
          stroke-linecap="round"
          stroke-linejoin="round"
        />
      )}
      {solid !== undefined && <path d={solid} fill="currentColor" />}
    </svg>
  );
}

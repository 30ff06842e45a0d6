/**
 * The icons: our own drawings on a grid of 24, lines of 1.75 with round ends, in the color of the text around them.
 * `createIcon` makes an element; pages that render markup themselves take the paths from `ICONS`.
 */

/** What an icon is drawn of: `line` is stroked, `solid` is filled; both are SVG path data. */
export interface Drawing {
  readonly line?: string;
  readonly solid?: string;
}

const dot = (x: number, y: number, r: number) =>
  `M${x - r} ${y}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0z`;

export const ICONS = {
  pointer: { line: "M5 3.5l5.6 16 2.5-6.9 6.9-2.5z" },
  pen: { line: "M4 20l1-4.5L16.2 4.3a2 2 0 0 1 2.8 0l.7.7a2 2 0 0 1 0 2.8L8.5 19zM14 6.5l3.5 3.5" },
  arrow: { line: "M5 19L19 5M9.5 5H19v9.5" },
  box: { line: "M6 5h12a1.5 1.5 0 0 1 1.5 1.5v11A1.5 1.5 0 0 1 18 19H6a1.5 1.5 0 0 1-1.5-1.5v-11A1.5 1.5 0 0 1 6 5z" },
  ellipse: { line: "M2.75 12a9.25 6.75 0 1 0 18.5 0a9.25 6.75 0 1 0-18.5 0z" },
  highlight: { line: "M9 15l-2.5-2.5L15.5 3.5 20.5 8.5 11.5 17.5zM6.5 12.5L6 16l-1.5 1.5h4l.5-.5M4 21h16" },
  text: { line: "M5 7V5h14v2M12 5v14M9 19h6" },
  step: { line: `${dot(12, 12, 9)}M10 9.2L12.4 7.6V16.4` },
  undo: { line: "M8.5 5L4 9.5 8.5 14M4 9.5h10a5.5 5.5 0 0 1 0 11H9" },
  redo: { line: "M15.5 5L20 9.5 15.5 14M20 9.5H10a5.5 5.5 0 0 0 0 11h5" },
  trash: { line: "M4.5 6.5h15M9 6.5V4h6v2.5M6.5 6.5l.9 13h9.2l.9-13M10 10.5v5.5M14 10.5v5.5" },
  freeze: { line: "M12 2.5v19M3.8 7.2l16.4 9.6M3.8 16.8L20.2 7.2M9.5 4L12 6.2 14.5 4M9.5 20l2.5-2.2 2.5 2.2" },
  camera: { line: `M3.5 8h4l1.7-2.5h5.6L16.5 8h4v11h-17z${dot(12, 13.2, 3.3)}` },
  bookmark: { line: "M6.5 4h11v16.5L12 16.2l-5.5 4.3z" },
  fit: { line: "M3.5 8V4.5H7M17 4.5h3.5V8M20.5 16v3.5H17M7 19.5H3.5V16M7.5 8.5h9v7h-9z" },
  "one-to-one": { line: "M5 8.5L7.5 7v10M16 8.5L18.5 7v10", solid: dot(12, 9.8, 1.1) + dot(12, 14.4, 1.1) },
  "zoom-in": { line: `${dot(10.5, 10.5, 6.5)}M15.3 15.3L20.5 20.5M10.5 7.8v5.4M7.8 10.5h5.4` },
  "zoom-out": { line: `${dot(10.5, 10.5, 6.5)}M15.3 15.3L20.5 20.5M7.8 10.5h5.4` },
  "full-screen": { line: "M9 4H4v5M15 4h5v5M20 15v5h-5M9 20H4v-5" },
  chat: { line: "M4 5h16v11.5h-8.5L7 20.5v-4H4zM8 9h8M8 12.5h5" },
  note: { line: "M5 4h14v10.5L13.5 20H5zM19 14.5h-5.5V20M8.5 8.5h7M8.5 12h4" },
  people: {
    line: `${dot(9, 8, 3.3)}M2.8 19.5c.3-3.8 2.8-5.7 6.2-5.7s5.9 1.9 6.2 5.7M15.5 5a3.3 3.3 0 0 1 0 6M17.6 14.3c2.1.7 3.4 2.5 3.6 5.2`,
  },
  clock: { line: `${dot(12, 12, 8.8)}M12 7v5.2l3.4 2` },
  link: {
    line: "M10 14a4 4 0 0 0 5.7 0l3.2-3.2a4 4 0 0 0-5.7-5.7l-1.4 1.4M14 10a4 4 0 0 0-5.7 0l-3.2 3.2a4 4 0 0 0 5.7 5.7l1.4-1.4",
  },
  copy: { line: "M9 9h11v11H9zM6 15H4V4h11v2" },
  pause: { line: "M8.5 5v14M15.5 5v14" },
  play: { line: "M7.5 4.5l11.5 7.5-11.5 7.5z" },
  stop: { line: "M6 6h12v12H6z" },
  microphone: { line: "M9 6a3 3 0 0 1 6 0v5.5a3 3 0 0 1-6 0zM5.5 11.5a6.5 6.5 0 0 0 13 0M12 18v3M9 21h6" },
  "microphone-off": {
    line: "M9 9.5V6a3 3 0 0 1 6 0v5.5M9 12.5a3 3 0 0 0 4.5 1.6M5.5 11.5a6.5 6.5 0 0 0 10.6 5M18.5 11.5a6.5 6.5 0 0 1-.5 2.500M12 18v3M9 21h6M4 4l16 16",
  },
  float: { line: "M3.5 5h17v14h-17zM11.5 11.5h6v4.5h-6z" },
  cover: { line: "M3.5 5h17v14h-17z", solid: "M7.5 9h9v6h-9z" },
  check: { line: "M4.5 12.5l5 5L19.5 7" },
  warning: { line: "M12 4L2.8 19.5h18.4zM12 10v4.5", solid: dot(12, 17, 1) },
  close: { line: "M6 6l12 12M18 6L6 18" },
  search: { line: `${dot(10.5, 10.5, 6.5)}M15.3 15.3L20.5 20.5` },
  ticket: { line: "M3.5 6h17v3.5a2.5 2.5 0 0 0 0 5V18h-17v-3.5a2.5 2.5 0 0 0 0-5zM14.5 6v2.5M14.5 11v2M14.5 15.5V18" },
  library: { line: "M4.5 4h15v16h-15zM4.5 8h15M4.5 16h15M8 4v4M16 4v4M8 16v4M16 16v4M10.5 10v4l3.2-2z" },
  help: { line: `${dot(12, 12, 8.8)}M9.4 9.6a2.6 2.6 0 1 1 3.9 2.3c-.9.5-1.3 1-1.3 2`, solid: dot(12, 16.7, 1) },
  report: { line: "M4 4v16h16M8.5 16.5v-4M12.5 16.5v-8M16.5 16.5v-6" },
  settings: {
    line: `M4 7h9M18 7h2M4 17h2M11 17h9${dot(15.5, 7, 2.3)}${dot(8.5, 17, 2.3)}`,
  },
  record: { line: dot(12, 12, 8.8), solid: dot(12, 12, 4.5) },
} as const satisfies Record<string, Drawing>;

export type IconName = keyof typeof ICONS;

const SVG = "http://www.w3.org/2000/svg";

/** An icon as an element, hidden from screen readers: the control around it carries the name. */
export function createIcon(name: IconName): SVGSVGElement {
  const icon = document.createElementNS(SVG, "svg");
  const attributes = { viewBox: "0 0 24 24", class: "icon-svg", "aria-hidden": "true", "data-icon": name };
  for (const [key, value] of Object.entries(attributes)) icon.setAttribute(key, value);
  const { line, solid }: Drawing = ICONS[name];
  if (line !== undefined) {
    const path = document.createElementNS(SVG, "path");
    const look = { d: line, fill: "none", stroke: "currentColor", "stroke-width": "1.75", "stroke-linecap": "round" };
    for (const [key, value] of Object.entries(look)) path.setAttribute(key, value);
    path.setAttribute("stroke-linejoin", "round");
    icon.append(path);
  }
  if (solid !== undefined) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", solid);
    path.setAttribute("fill", "currentColor");
    icon.append(path);
  }
  return icon;
}

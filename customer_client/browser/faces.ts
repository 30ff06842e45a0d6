// Five faces of our own, since not every system has a font with them.

const SVG = "http://www.w3.org/2000/svg";
const RING = "M3 12a9 9 0 1 0 18 0a9 9 0 1 0-18 0z";
const EYES = "M8.8 9.2v1.2M15.2 9.2v1.2";
const MOUTHS = [
  "M7.8 17c1.2-2.6 2.6-3.4 4.2-3.4s3 .8 4.2 3.4",
  "M8.5 16.4c1-1.3 2.2-1.8 3.5-1.8s2.5.5 3.5 1.8",
  "M8.5 15.5h7",
  "M8.5 14.6c1 1.3 2.2 1.8 3.5 1.8s2.5-.5 3.5-1.8",
  "M7.5 13.6h9c-.5 2.8-2.3 4-4.5 4s-4-1.2-4.5-4z",
];

/** The face of a score from 1 (very bad) to 5 (very good). */
export function createFace(score: number): SVGSVGElement {
  const face = document.createElementNS(SVG, "svg");
  face.setAttribute("viewBox", "0 0 24 24");
  face.setAttribute("aria-hidden", "true");
  const lines = document.createElementNS(SVG, "path");
  const look = {
    d: RING + EYES + (MOUTHS[score - 1] ?? ""),
    fill: "none",
    stroke: "currentColor",
    "stroke-width": "1.5",
  };
  for (const [name, value] of Object.entries(look)) lines.setAttribute(name, value);
  lines.setAttribute("stroke-linecap", "round");
  lines.setAttribute("stroke-linejoin", "round");
  face.append(lines);
  return face;
}

/** A field that stands where the text will be: Enter puts it down, Shift-Enter breaks the line, Escape drops it. */
import { FONT_FAMILY } from "./rendering.ts";

export interface EntryOptions {
  /** The window's point at which the first line's top left corner lies, in CSS pixels. */
  readonly left: number;
  readonly top: number;
  /** The height of a line, in CSS pixels. */
  readonly line: number;
  readonly color: string;
  readonly label: string;
  readonly longest: number;
  readonly multiline: boolean;
  readonly onInput: (text: string) => void;
  /** The text when it was put down, or null when it was dropped. Told once. */
  readonly onDone: (text: string | null) => void;
}

/** Opens the field in `frame`; answers with a function that puts down what is written so far. */
export function openEntry(frame: HTMLElement, options: EntryOptions): () => void {
  const document = frame.ownerDocument;
  const field = document.createElement("textarea");
  const outer = frame.getBoundingClientRect();
  const left = options.left - outer.left - frame.clientLeft;
  const top = options.top - outer.top - frame.clientTop;
  field.rows = 1;
  field.maxLength = options.longest;
  field.setAttribute("aria-label", options.label);
  field.placeholder = options.label;
  field.dataset.inkEntry = "";
  Object.assign(field.style, {
    position: "absolute",
    left: `${Math.max(0, left)}px`,
    top: `${Math.max(0, top)}px`,
    width: "auto",
    minWidth: "8em",
    maxWidth: `${Math.max(120, frame.clientWidth - left)}px`,
    minHeight: "0",
    padding: "0 2px",
    border: "1px dashed currentColor",
    borderRadius: "2px",
    background: "rgb(255 255 255 / 85%)",
    color: options.color,
    font: `bold ${options.line * 0.8}px/${options.line}px ${FONT_FAMILY}`,
    resize: "none",
    overflow: "hidden",
    zIndex: "1",
  });
  field.style.setProperty("field-sizing", "content");
  let done = false;
  const finish = (text: string | null) => {
    if (done) return;
    done = true;
    field.remove();
    options.onDone(text === null || text.trim() === "" ? (text === null ? null : "") : text.trimEnd());
  };
  field.addEventListener("input", () => {
    if (!options.multiline && field.value.includes("\n")) field.value = field.value.replaceAll("\n", " ");
    field.rows = field.value.split("\n").length;
    options.onInput(field.value);
  });
  field.addEventListener("keydown", (event) => {
    // Keys typed here are text, never the console's shortcuts.
    event.stopPropagation();
    if (event.isComposing) return;
    if (event.key === "Escape") finish(null);
    else if (event.key === "Enter" && !(event.shiftKey && options.multiline)) finish(field.value);
    else return;
    event.preventDefault();
  });
  field.addEventListener("pointerdown", (event) => event.stopPropagation());
  field.addEventListener("blur", () => finish(field.value));
  frame.append(field);
  field.focus({ preventScroll: true });
  return () => finish(field.value);
}

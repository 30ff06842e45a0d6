import { signal } from "@preact/signals";
import { useLayoutEffect } from "preact/hooks";
import { Dialog } from "./dialog";
import { t, type Word } from "./words";

/** A key of the console: one keystroke ("v", "ctrl+k"), or two in a row ("g w"). */
export interface Key {
  keys: string;
  label: Word;
  run: () => void;
  /** Works while one types, too. */
  always?: boolean;
  /** Another way to what has a key already; the help leaves it out. */
  also?: boolean;
}

const PRESSING: ReadonlySet<string> = new Set(["Space", "Enter"]);
const FOLLOWS_WITHIN_MS = 1_500;
const layers = signal<readonly (readonly Key[])[]>([]);
const helpShown = signal(false);
let first: { key: string; at: number } | null = null;

/** The keystroke's name. Letters go by their place where the layout is not Latin, so that `v` works in Greek, too. */
export function nameOf(event: KeyboardEvent): string {
  const letter = /^Key([A-Z])$/.exec(event.code)?.[1];
  const latin = event.key.length === 1 && event.key.charCodeAt(0) < 128;
  const key = !latin && letter !== undefined ? letter.toLowerCase() : event.key;
  const name = key === " " ? "Space" : key.length === 1 ? key.toLowerCase() : key;
  const held = [
    event.ctrlKey || event.metaKey ? "ctrl+" : "",
    event.altKey ? "alt+" : "",
    event.shiftKey && (letter !== undefined || key.length > 1) ? "shift+" : "",
  ];
  return held.join("") + name;
}

/** Whether what is typed at `target` is meant for it. */
export function takesText(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement) {
    return true;
  }
  return target instanceof HTMLInputElement && !["checkbox", "radio", "button", "range"].includes(target.type);
}

/** Enter on a link or a button is that link's or button's. */
function isPressed(event: KeyboardEvent): boolean {
  return (
    event.key === "Enter" && event.target instanceof Element && event.target.closest("a, button, summary") !== null
  );
}

function press(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.isComposing || isPressed(event)) return;
  const name = nameOf(event);
  const typing = takesText(event.target);
  // A button in focus is pressed by these: it comes before every shortcut.
  if (PRESSING.has(name) && event.target instanceof Element && event.target.matches("button, a[href], summary")) return;
  const behindDialog = document.querySelector("dialog[open]") !== null;
  const started = first !== null && event.timeStamp - first.at < FOLLOWS_WITHIN_MS ? `${first.key} ` : "";
  first = null;
  // The newest layer first: what lies on top takes the key.
  for (const layer of layers.value.toReversed()) {
    for (const key of layer) {
      if ((typing || behindDialog) && key.always !== true) continue;
      if (key.keys !== started + name) continue;
      event.preventDefault();
      key.run();
      return;
    }
  }
  const begins = layers.value.some((layer) => layer.some((key) => key.keys.startsWith(`${name} `)));
  if (begins && !typing && !behindDialog) first = { key: name, at: event.timeStamp };
}

window.addEventListener("keydown", press);

/** Makes keys work while the component is there. */
export function useKeys(keys: readonly Key[], dependencies: readonly unknown[] = []): void {
  // At once, so that no key is lost between a page's being seen and its being ready.
  useLayoutEffect(() => {
    layers.value = [...layers.value, keys];
    return () => {
      layers.value = layers.value.filter((layer) => layer !== keys);
    };
    // The caller says what its keys depend on.
  }, dependencies as unknown[]);
}

export function showKeys(): void {
  helpShown.value = true;
}

const SHOWN_AS: Readonly<Record<string, string>> = {
  Escape: "Esc",
  Delete: "Del",
  "shift+Delete": "Shift Del",
  ArrowLeft: "←",
  ArrowRight: "→",
};

function Strokes({ keys }: { keys: string }) {
  return (
    <span class="strokes">
      {keys.split(" ").map((stroke) => (
        <kbd key={stroke}>{SHOWN_AS[stroke] ?? stroke.replace("ctrl+", "Ctrl ").replace("shift+", "Shift ")}</kbd>
      ))}
    </span>
  );
}

/** `?`: every key that works on this page at this moment. */
export function KeysHelp() {
  if (!helpShown.value) return null;
  return (
    <Dialog title={t("keys.title")} onClose={() => (helpShown.value = false)}>
      {layers.value
        .filter((layer) => layer.length > 0)
        .toReversed()
        .map((layer) => (
          <dl class="keys" key={layer[0]?.keys}>
            {layer
              .filter((key) => key.also !== true)
              .map((key) => (
                <div key={key.keys}>
                  <dt>
                    <Strokes keys={key.keys} />
                  </dt>
                  <dd>{t(key.label)}</dd>
                </div>
              ))}
          </dl>
        ))}
    </Dialog>
  );
}

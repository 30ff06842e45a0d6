import type { Button, Input } from "../../../signaling/browser/messages";
import type { LiveSession } from "./live_session";
import type { Picture } from "./picture";

const SEND_EVERY_MS = 33;
/** Half of what the customer's computer waits before it lets go of what is held. */
const REMIND_EVERY_MS = 1_500;
const ESCAPE_TWICE_MS = 600;
const MOST_INPUTS = 64;
const LONGEST_TEXT = 500;
const LINE_PX = 33;
const DETENT_PX = 100;
const MOST_DETENTS = 20;
const BUTTONS: readonly Button[] = ["left", "middle", "right", "back", "forward"];
/** What makes no character by itself: the text comes when it is composed. */
const COMPOSING: ReadonlySet<string> = new Set(["Dead", "Process", "Compose", "Unidentified"]);
/** They change what other keys mean here, and that is what is sent. */
const LOCKS: ReadonlySet<string> = new Set(["AltGraph", "CapsLock", "NumLock", "ScrollLock", "Fn", "FnLock"]);
/** They are held; any other key is pressed and let go at once, as often as it repeats here. */
const MODIFIERS: ReadonlySet<string> = new Set(["Shift", "Control", "Alt", "Meta"]);
/** Windows reports AltGraph as these two, pressed before it. */
const ALT_GRAPH = ["ControlLeft", "AltRight"] as const;

/** Inputs on their way: of moves in a row only the last one counts. */
export class Inputs {
  #waiting: Input[] = [];

  add(input: Input): void {
    const last = this.#waiting.at(-1);
    if (input.kind === "move_pointer" && last?.kind === "move_pointer") this.#waiting.pop();
    this.#waiting.push(input);
  }

  /** The next ones in order, as many as go into one message. */
  take(): Input[] {
    return this.#waiting.splice(0, MOST_INPUTS);
  }
}

/** Turns of a wheel in whole detents; the rest waits for the next turn. */
export class Wheel {
  #x = 0;
  #y = 0;

  turn(deltaX: number, deltaY: number, mode: number): Input | null {
    const unit = mode === 0 ? 1 : mode === 1 ? LINE_PX : LINE_PX * 10;
    this.#x += (deltaX * unit) / DETENT_PX;
    this.#y += (deltaY * unit) / DETENT_PX;
    const [x, y] = [Math.trunc(this.#x) + 0, Math.trunc(this.#y) + 0]; // never -0
    this.#x -= x;
    this.#y -= y;
    const most = (detents: number): number => Math.max(-MOST_DETENTS, Math.min(MOST_DETENTS, detents));
    return x === 0 && y === 0 ? null : { kind: "turn_wheel", x: most(x), y: most(y) };
  }
}

/**
 * The agent's mouse and keyboard, as long as the customer has handed over theirs: what happens in `pad`, a text field
 * that lies over the picture, happens there. Escape twice in a row gives them back.
 */
export class Control {
  readonly #listening = new AbortController();
  readonly #inputs = new Inputs();
  readonly #wheel = new Wheel();
  readonly #keys = new Map<string, string>();
  readonly #buttons = new Set<Button>();
  readonly #reminder: number;
  #timer: number | undefined;
  #sentAt = Number.NEGATIVE_INFINITY;
  #escapedAt = Number.NEGATIVE_INFINITY;

  constructor(
    readonly pad: HTMLTextAreaElement,
    readonly live: LiveSession,
    readonly picture: Picture,
  ) {
    const { signal } = this.#listening;
    pad.addEventListener("mousedown", (event) => this.#press(event), { signal });
    window.addEventListener("mousemove", (event) => this.#move(event), { signal });
    window.addEventListener("mouseup", (event) => this.#release(event), { signal });
    pad.addEventListener("contextmenu", (event) => event.preventDefault(), { signal });
    pad.addEventListener("wheel", (event) => this.#turn(event), { signal, passive: false });
    pad.addEventListener("keydown", (event) => this.#down(event), { signal });
    pad.addEventListener("keyup", (event) => this.#up(event), { signal });
    pad.addEventListener("input", (event) => (event instanceof InputEvent && event.isComposing) || this.#type(), {
      signal,
    });
    pad.addEventListener("compositionend", () => this.#type(), { signal });
    pad.addEventListener("blur", () => this.#letGo(), { signal });
    this.#reminder = window.setInterval(() => this.#remind(), REMIND_EVERY_MS);
    pad.focus();
  }

  close(): void {
    this.#letGo();
    this.#listening.abort();
    window.clearInterval(this.#reminder);
    window.clearTimeout(this.#timer);
    this.#flush();
  }

  #press(event: MouseEvent): void {
    event.preventDefault();
    this.pad.focus();
    const button = BUTTONS[event.button];
    if (button === undefined || !this.#point(event, false)) return;
    this.#buttons.add(button);
    this.#add({ kind: "press_button", button });
  }

  #move(event: MouseEvent): void {
    if (this.#buttons.size > 0 || event.target === this.pad) this.#point(event, this.#buttons.size > 0);
  }

  #release(event: MouseEvent): void {
    const button = BUTTONS[event.button];
    if (button === undefined || !this.#buttons.delete(button)) return;
    event.preventDefault();
    this.#point(event, true);
    this.#add({ kind: "release_button", button });
  }

  #turn(event: WheelEvent): void {
    event.preventDefault();
    const turned = this.#wheel.turn(event.deltaX, event.deltaY, event.deltaMode);
    if (turned !== null && this.#point(event, false)) this.#add(turned);
  }

  /** The pointer is here; whether that is on the picture. */
  #point(event: MouseEvent, clamped: boolean): boolean {
    const at = this.picture.ink.locate(event.clientX, event.clientY, clamped);
    if (at !== null) this.#add({ kind: "move_pointer", x: at[0], y: at[1] });
    return at !== null;
  }

  #down(event: KeyboardEvent): void {
    event.stopPropagation();
    const { code, key } = event;
    if (event.isComposing || COMPOSING.has(key)) return;
    event.preventDefault();
    if (key === "Escape" && !event.repeat) {
      if (event.timeStamp - this.#escapedAt < ESCAPE_TWICE_MS) {
        void this.live.giveControlBack();
        return;
      }
      this.#escapedAt = event.timeStamp;
    } else {
      this.#escapedAt = Number.NEGATIVE_INFINITY;
    }
    if (event.getModifierState("AltGraph")) for (const each of ALT_GRAPH) this.#lift(each);
    if (LOCKS.has(key)) return;
    if (code === "") this.#say(key.length === 1 ? key : "");
    else if (!event.repeat || !MODIFIERS.has(key)) {
      if (MODIFIERS.has(key)) this.#keys.set(code, key);
      this.#add({ kind: "press_key", code, key });
    }
  }

  #up(event: KeyboardEvent): void {
    event.stopPropagation();
    event.preventDefault();
    this.#lift(event.code);
  }

  #lift(code: string): void {
    const key = this.#keys.get(code);
    if (key === undefined) return;
    this.#keys.delete(code);
    this.#add({ kind: "release_key", code, key });
  }

  /** What was composed or pasted. */
  #type(): void {
    this.#say(this.pad.value);
    this.pad.value = "";
  }

  #say(text: string): void {
    for (let from = 0; from < text.length; from += LONGEST_TEXT) {
      this.#add({ kind: "type_text", text: text.slice(from, from + LONGEST_TEXT) });
    }
  }

  #letGo(): void {
    for (const code of [...this.#keys.keys()]) this.#lift(code);
    for (const button of this.#buttons) this.#add({ kind: "release_button", button });
    this.#buttons.clear();
  }

  #add(input: Input): void {
    this.#inputs.add(input);
    const now = performance.now();
    this.#timer ??= window.setTimeout(() => this.#flush(), Math.max(0, this.#sentAt + SEND_EVERY_MS - now));
  }

  #flush(): void {
    this.#timer = undefined;
    for (let inputs = this.#inputs.take(); inputs.length > 0; inputs = this.#inputs.take()) this.#send(inputs);
  }

  #send(inputs: Input[]): void {
    const surface = this.live.session.value.surface?.id;
    if (surface === undefined) return;
    this.#sentAt = performance.now();
    // What is lost with the link is let go of on the other side.
    this.live.relay({ type: "control", surface, inputs });
  }

  #remind(): void {
    const holds = this.#keys.size > 0 || this.#buttons.size > 0;
    if (holds && performance.now() - this.#sentAt >= REMIND_EVERY_MS) this.#send([]);
  }
}

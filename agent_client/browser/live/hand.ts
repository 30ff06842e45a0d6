import { signal } from "@preact/signals";
import { TOOLS } from "../../../annotate/browser/gestures";
import type { Key } from "../app/keys";
import { complain } from "../app/toasts";
import { Drawing } from "./drawing";
import type { LiveSession } from "./live_session";
import { Moves } from "./moves";
import { Picture, ZOOM_STEP } from "./picture";
import { Still } from "./still";
import { TOOL_KEYS, TOOL_WORDS } from "./tool_bar";

const PAN_PX = 80;

/** All that an agent's hand does in the live view, and the keys for it. */
export class Hand {
  readonly picture: Picture;
  readonly drawing: Drawing;
  readonly still: Still;
  /** The moment, in the server's time, for which a title is being written; null when there is none. */
  readonly bookmarking = signal<number | null>(null);
  readonly #moves: Moves;

  constructor(
    frame: HTMLElement,
    readonly live: LiveSession,
  ) {
    this.picture = new Picture(frame, live);
    this.drawing = new Drawing(live, this.picture);
    this.still = new Still(live, this.picture);
    this.#moves = new Moves(frame, this.picture, this.drawing);
  }

  toggleFullScreen(): void {
    // The whole document, so that what is said in passing is seen there, too.
    const { documentElement, fullscreenElement } = document;
    const done = fullscreenElement === null ? documentElement.requestFullscreen() : document.exitFullscreen();
    done.catch(complain);
  }

  /** Marks this moment; its title may take a while. */
  bookmark(): void {
    this.bookmarking.value ??= this.live.now();
  }

  keys(): Key[] {
    const { drawing, picture, still, live } = this;
    const seen =
      (run: () => void): (() => void) =>
      () => {
        if (live.seen.value) run();
      };
    return [
      ...TOOLS.map((tool) => ({
        keys: TOOL_KEYS[tool],
        label: TOOL_WORDS[tool],
        run: () => {
          drawing.tool.value = tool;
        },
      })),
      {
        keys: "d",
        label: "tools.fade" as const,
        run: () => {
          drawing.fade.value = !drawing.fade.value;
        },
      },
      { keys: "ctrl+z", label: "tools.undo", run: seen(() => drawing.undo()) },
      { keys: "ctrl+shift+z", label: "tools.redo", run: seen(() => drawing.redo()) },
      { keys: "ctrl+y", label: "tools.redo", run: seen(() => drawing.redo()), also: true },
      { keys: "Delete", label: "tools.clear_mine", run: seen(() => drawing.clearMine()) },
      { keys: "shift+Delete", label: "tools.clear_all", run: seen(() => drawing.clearAll()) },
      { keys: "Escape", label: "tools.put_down", run: () => drawing.escape() },
      { keys: "f", label: "tools.freeze", run: seen(() => void still.toggleFreeze()) },
      { keys: "s", label: "tools.snapshot", run: seen(() => void still.snapshot()) },
      {
        keys: "m",
        label: "tools.bookmark",
        run: seen(() => this.bookmark()),
      },
      { keys: "shift+m", label: "talk.key", run: () => void live.voice.press() },
      { keys: "0", label: "tools.fit", run: () => picture.fit() },
      { keys: "1", label: "tools.one_to_one", run: () => picture.oneToOne() },
      { keys: "+", label: "tools.zoom_in", run: () => picture.zoom(ZOOM_STEP) },
      { keys: "=", label: "tools.zoom_in", run: () => picture.zoom(ZOOM_STEP), also: true },
      { keys: "-", label: "tools.zoom_out", run: () => picture.zoom(1 / ZOOM_STEP) },
      { keys: "ArrowLeft", label: "tools.pan", run: () => picture.pan(PAN_PX, 0) },
      { keys: "ArrowRight", label: "tools.pan", run: () => picture.pan(-PAN_PX, 0), also: true },
      { keys: "ArrowUp", label: "tools.pan", run: () => picture.pan(0, PAN_PX), also: true },
      { keys: "ArrowDown", label: "tools.pan", run: () => picture.pan(0, -PAN_PX), also: true },
    ];
  }

  close(): void {
    this.#moves.close();
    this.drawing.close();
    this.picture.close();
  }
}

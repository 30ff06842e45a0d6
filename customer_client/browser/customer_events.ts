import type { Annotation } from "../../annotate/browser/shapes";
import type { Event, Pointer } from "../../signaling/browser/messages";

/** Why sharing ended without the customer's doing: loaded again, or away for longer than the server waits. */
export type Interruption = "reloaded" | "away";

/** What a page hears of its customer. */
export interface CustomerEvents {
  /** Anything that a screen shows has changed. */
  change: undefined;
  event: Event;
  pointer: { sender: string; pointer: Pointer };
  drawing: { sender: string; annotation: Annotation | null };
  /** The server refused to let this page share; `code` says why. */
  refused: { code: string };
}

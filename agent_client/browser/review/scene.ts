/** What was to be seen at a moment of a session: the shared surface, or the picture that all looked at instead. */

import type { Event, Surface } from "../../../signaling/browser/messages";

export interface Scene {
  /** From this moment on, ms since 1970. */
  readonly at: number;
  readonly sharing: "not_yet" | "on" | "paused" | "stopped";
  /** What is shared live, or was shared last. */
  readonly live: Surface | null;
  /** A snapshot that is looked at instead of the live surface. */
  readonly shown: Surface | null;
}

const BEFORE: Scene = { at: Number.NEGATIVE_INFINITY, sharing: "not_yet", live: null, shown: null };

/** The scenes of a timeline, in order; the first one holds before any event. */
export function scenesOf(events: readonly Event[]): readonly Scene[] {
  const snapshots = new Map<string, Surface>();
  const scenes: Scene[] = [BEFORE];
  let scene = BEFORE;
  const next = (at: number, change: Partial<Scene>) => {
    scene = { ...scene, ...change, at };
    scenes.push(scene);
  };
  for (const { at, body } of events) {
    switch (body.type) {
      case "sharing_started":
        next(at, { sharing: "on", live: body.surface, shown: null });
        break;
      case "surface_changed":
        next(at, { live: body.surface });
        break;
      case "sharing_paused":
        next(at, { sharing: "paused" });
        break;
      case "sharing_resumed":
        next(at, { sharing: "on" });
        break;
      case "sharing_stopped":
      case "session_ended":
        next(at, { sharing: "stopped", shown: null });
        break;
      case "snapshot_taken":
        snapshots.set(body.surface.id, body.surface);
        break;
      case "surface_shown":
        next(at, { shown: body.surface === null ? null : (snapshots.get(body.surface) ?? null) });
        break;
    }
  }
  return scenes;
}

/** The scene that holds at a moment. */
export function sceneAt(scenes: readonly Scene[], at: number): Scene {
  let low = 0;
  let high = scenes.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((scenes[middle] as Scene).at <= at) low = middle;
    else high = middle - 1;
  }
  return scenes[low] ?? BEFORE;
}

/** Why something is missing of a recording, as far as its timeline tells. */

import type { Event } from "../../../signaling/browser/messages";
import { clockText, type Film, gapsOf, type Stretch } from "./film";
import { GONE_RECORDER, type Moment, type Words } from "./moments";

export type Cause = "missing" | "open" | "disk" | "recorder" | "failed" | "paused" | "stopped" | "unknown";

/** What led to a gap is told at most so long before it begins: the last second of a file may be lost, too. */
const BEFORE_MS = 3000;
/** A recorder that died is found out about so long afterwards at most. */
const FOUND_OUT_MS = 20_000;

function told({ body }: Event, recorders: ReadonlySet<string>): Cause | null {
  switch (body.type) {
    case "recording_failed":
      if (GONE_RECORDER.has(body.reason)) return "recorder";
      return /^(disk|folder|permission)/.test(body.reason) ? "disk" : "failed";
    case "left":
      return recorders.has(body.participant) && body.reason !== "left" ? "recorder" : null;
    case "sharing_paused":
      return "paused";
    case "recording_stopped":
    case "sharing_stopped":
      return "stopped";
    default:
      return null;
  }
}

/** Whether this is being recorded at the moment, into a file that can be played once it is finished. */
function isOpen(gap: Stretch, events: readonly Event[]): boolean {
  if (events.some(({ body }) => body.type === "session_ended")) return false;
  const finished = new Set(events.map(({ body }) => (body.type === "segment_finished" ? body.segment : null)));
  return events.some(
    ({ body }) =>
      body.type === "segment_started" &&
      !finished.has(body.segment) &&
      body.started_at >= gap.start - BEFORE_MS &&
      body.started_at < gap.end,
  );
}

/** Why there is a gap: the first thing around its beginning that is told, and was not over by then. */
export function causeOf(gap: Stretch, events: readonly Event[]): Cause {
  if (gap.missing) return "missing";
  if (isOpen(gap, events)) return "open";
  const recorders = new Set(
    events.flatMap(({ body }) => (body.type === "joined" && body.role === "recorder" ? [body.participant] : [])),
  );
  const until = Math.min(gap.end, gap.start + FOUND_OUT_MS);
  let cause: Cause | null = null;
  for (const event of events) {
    if (event.at < gap.start - BEFORE_MS || event.at > until) continue;
    const over = event.body.type === "sharing_resumed" || event.body.type === "recording_started";
    if (over && event.at < gap.start) cause = null;
    else cause ??= told(event, recorders);
  }
  return cause ?? "unknown";
}

/** The moments of a session with the gaps of its recording among them, each where it begins. */
export function withGaps(
  moments: readonly Moment[],
  film: Film,
  events: readonly Event[],
  words: Words,
): readonly Moment[] {
  const told = gapsOf(film).map((gap, index): Moment => {
    const cause = words(`review.gap_cause.${causeOf(gap, events)}`);
    return {
      seq: -1 - index,
      at: gap.start,
      lane: "session",
      type: "recording_failed",
      key: "review.gap_line",
      values: { length: clockText(gap.end - gap.start), cause },
      text: null,
      actor: "system",
    };
  });
  return [...moments, ...told].sort((one, other) => one.at - other.at);
}

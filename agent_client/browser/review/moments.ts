/** The moments of a session, in words: what the list beside the player and the lanes below it are made of. */

import type { Event, EventBody, Role } from "../../../signaling/browser/messages";
import { momentOf } from "../../../signaling/browser/session";
import { type Film, fractionOf } from "./film";

export const LANES = ["ink", "chat", "snapshots", "bookmarks", "session"] as const;
export type Lane = (typeof LANES)[number];

/** A line of the timeline: a key of the dictionary with its values. */
export interface Moment {
  readonly seq: number;
  readonly at: number;
  readonly lane: Lane;
  readonly type: EventBody["type"];
  readonly key: string;
  readonly values: Readonly<Record<string, string | number>>;
  /** The text as somebody wrote it: chat, a note, the title of a bookmark. */
  readonly text: string | null;
  readonly actor: string;
}

/** The sentences that need a role's or a reason's name in the reader's language get it from here. */
export type Words = (key: string) => string;

const LANE: Partial<Record<EventBody["type"], Lane>> = {
  annotation_added: "ink",
  annotations_erased: "ink",
  annotations_restored: "ink",
  chat_said: "chat",
  note_added: "chat",
  snapshot_taken: "snapshots",
  surface_shown: "snapshots",
  bookmark_added: "bookmarks",
};

/** Reasons that mean: there is no recorder; any other is of the one that is there. */
export const GONE_RECORDER: ReadonlySet<string> = new Set(["lost", "no_recorder", "gone", "replaced"]);

/** Marks of one hand within this time are one line of the list: "Maria drew 5 marks". */
export const ONE_HAND_MS = 4000;

/** Who `actor` is, by the names they joined with; `nameless` names who gave none. */
export function namesOf(events: readonly Event[], nameless: (role: Role) => string): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const { body } of events) {
    if (body.type === "joined") names.set(body.participant, body.name || nameless(body.role));
    if (body.type === "agent_assigned") names.set(body.user, body.name);
  }
  return names;
}

/** Every event worth reading, in order; what the recorder tells of its files is not. */
export function momentsOf(events: readonly Event[], words: Words): readonly Moment[] {
  const names = namesOf(events, (role) => words(role === "customer" ? "live.customer" : `review.role.${role}`));
  const recorders = new Set(
    events.flatMap(({ body }) => (body.type === "joined" && body.role === "recorder" ? [body.participant] : [])),
  );
  const moments: Moment[] = [];
  for (const event of events) {
    const { body, seq, actor } = event;
    const at = momentOf(event);
    if (body.type.startsWith("segment_")) continue;
    // That it came and went tells nothing beside what it did: recording started, stopped, failed.
    if ((body.type === "joined" || body.type === "left") && recorders.has(body.participant)) continue;
    const last = moments[moments.length - 1];
    if (
      body.type === "annotation_added" &&
      last?.type === "annotation_added" &&
      last.actor === actor &&
      body.annotation.shape.kind !== "step" &&
      last.key === "review.event.annotation_added" &&
      at - last.at < ONE_HAND_MS
    ) {
      const count = Number(last.values.count) + 1;
      moments[moments.length - 1] = { ...last, values: { ...last.values, count } };
      continue;
    }
    const erased = body.type === "body_erased";
    if (erased && last?.type === "body_erased" && last.actor === actor && last.values.was === body.was) {
      const count = Number(last.values.count) + 1;
      moments[moments.length - 1] = { ...last, values: { ...last.values, count } };
      continue;
    }
    // Whose name is not known any more is the customer: that of nobody else is ever erased.
    const name = names.get(actor) ?? words(actor === "system" ? "review.system" : "live.customer");
    moments.push({
      seq,
      at,
      actor,
      type: body.type,
      lane: LANE[erased ? (body.was as EventBody["type"]) : body.type] ?? "session",
      text: body.type === "bookmark_added" ? body.title : "text" in body ? body.text : null,
      ...sentence(body, name, names, words),
    });
  }
  return moments.sort((one, other) => one.at - other.at);
}

function sentence(
  body: EventBody,
  name: string,
  names: ReadonlyMap<string, string>,
  words: Words,
): Pick<Moment, "key" | "values"> {
  const key = `review.event.${body.type}`;
  const who = (participant: string) => names.get(participant) ?? words("live.customer");
  switch (body.type) {
    case "annotation_added":
      return body.annotation.shape.kind === "step"
        ? { key: "review.event.step_added", values: { name, number: body.annotation.shape.number } }
        : { key, values: { name, count: 1 } };
    case "annotations_erased":
    case "annotations_restored":
      return { key, values: { name, count: body.annotations.length } };
    case "agent_assigned":
      return { key, values: { name: body.name } };
    case "joined":
      return { key, values: { name: who(body.participant), role: words(`review.role.${body.role}`) } };
    case "left":
      return { key: `${key}.${body.reason}`, values: { name: who(body.participant) } };
    case "consent_asked":
    case "consent_given":
    case "consent_refused":
    case "consent_withdrawn":
      // Anybody ends it: who has it, who gave it, or the server with a pause.
      if (body.type === "consent_withdrawn" && body.scope === "control") {
        return { key: "review.event.control_ended", values: { name } };
      }
      return { key, values: { name, scope: words(`review.scope.${body.scope}`) } };
    case "sharing_started":
    case "surface_changed": {
      const { kind, width, height } = body.surface;
      const size = `${width}\u00a0\u00d7\u00a0${height}`;
      return { key, values: { name, size, surface: words(`review.surface.${kind}`) } };
    }
    case "surface_shown":
      return { key: body.surface === null ? "review.event.surface_live" : key, values: { name } };
    case "bookmark_added":
      return { key, values: { name, title: body.title } };
    case "snapshot_taken":
      return { key, values: { name: body.requested_by === null ? name : who(body.requested_by) } };
    case "path_changed":
      return { key, values: { name: who(body.participant), path: words(`review.path.${body.path}`) } };
    case "recording_failed":
      return { key: GONE_RECORDER.has(body.reason) ? `${key}.recorder` : key, values: { name } };
    case "body_erased":
      return { key, values: { was: body.was, what: words(`review.was.${body.was}`), count: 1 } };
    case "session_ended":
      return body.outcome === null
        ? { key, values: { name } }
        : { key: `${key}.outcome`, values: { name, outcome: words(`review.outcome.${body.outcome}`) } };
    default:
      return { key, values: { name } };
  }
}

/** The line that is being lived through at `now`: the last one not after it; -1 before the first. */
export function currentMoment(moments: readonly Moment[], now: number): number {
  let found = -1;
  for (const [index, moment] of moments.entries()) {
    if (moment.at > now) break;
    found = index;
  }
  return found;
}

/** Moments of a lane that would lie on top of one another on the axis, as one mark. */
export interface Mark {
  readonly at: number;
  readonly fraction: number;
  readonly moments: readonly Moment[];
}

/** The marks of a lane, none nearer to the one before than `spacing` (a fraction of the axis). */
export function marksOf(moments: readonly Moment[], lane: Lane, film: Film, spacing: number): readonly Mark[] {
  const marks: { at: number; fraction: number; moments: Moment[] }[] = [];
  for (const moment of moments) {
    if (moment.lane !== lane) continue;
    const fraction = fractionOf(film, moment.at);
    const last = marks[marks.length - 1];
    if (last !== undefined && fraction - last.fraction < spacing) last.moments.push(moment);
    else marks.push({ at: moment.at, fraction, moments: [moment] });
  }
  return marks;
}

/** A chapter of the clip that is cut from `inMs` to `outMs`: a bookmark or a numbered step. */
export interface Chapter {
  readonly at: number;
  readonly key: "bookmark" | "step";
  readonly title: string;
  readonly number: number;
}

/** A step erased so soon was a slip of the hand, and no chapter; as in recorder/scenes.py. */
const TAKEN_BACK_WITHIN_MS = 3000;

/** What will be the chapters of a clip, in order. */
export function chaptersOf(events: readonly Event[], inMs: number, outMs: number): readonly Chapter[] {
  const erased = new Map<string, number>();
  for (const { at, body } of events) {
    if (body.type === "annotations_erased") for (const id of body.annotations) erased.set(id, at);
    if (body.type === "annotations_restored") for (const id of body.annotations) erased.delete(id);
  }
  const chapters: Chapter[] = [];
  for (const event of events) {
    const { body } = event;
    const at = momentOf(event);
    if (at < inMs || at >= outMs) continue;
    if (body.type === "bookmark_added" && body.title !== "") {
      chapters.push({ at, key: "bookmark", title: body.title, number: 0 });
    }
    if (body.type === "annotation_added" && body.annotation.shape.kind === "step") {
      const { id, shape } = body.annotation;
      const lasted = (erased.get(id) ?? Number.POSITIVE_INFINITY) - at;
      if (lasted >= TAKEN_BACK_WITHIN_MS) chapters.push({ at, key: "step", title: shape.text, number: shape.number });
    }
  }
  return chapters.sort((one, other) => one.at - other.at);
}

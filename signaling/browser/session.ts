// What pages need to know of a session, as a fold over its events; the meaning of each is that of `state.py`.
// Events that the reader may not see are missing here, so nothing is refused: the server has decided already.

import type { Event, EventBody, Outcome, Path, Role, Scope, SharingStarted, Surface, SurfaceChanged } from "./messages";

export type Phase = "waiting" | "joined" | "consent_asked" | "sharing" | "paused" | "ended";
export type Recording = "off" | "asked" | "on" | "refused";
export type Answered = "asked" | "given" | "refused";

export interface Participant {
  id: string;
  role: Role;
  name: string;
  /** In the session; whether there is a link at this moment is told by the connection's `presence`. */
  present: boolean;
}

export interface Line {
  seq: number;
  at: number;
  author: string;
  text: string;
}

export interface Snapshot {
  surface: Surface;
  at: number;
  author: string;
  requestedBy: string | null;
}

export interface Session {
  seq: number;
  phase: Phase;
  recording: Recording;
  /** Why the recorder cannot write at the moment, or null. */
  recordingFailed: string | null;
  /** Whether anything was recorded, ever. */
  recorded: boolean;
  consents: Readonly<Partial<Record<Scope, Answered>>>;
  organization: string;
  subject: string;
  askRecording: boolean;
  /** Whether nothing may be shared while recording fails. */
  strictRecording: boolean;
  /** Whether an agent may ask to control the customer's computer. */
  allowControl: boolean;
  agent: { user: string; name: string } | null;
  participants: Readonly<Record<string, Participant>>;
  /** What is shared live. */
  surface: Surface | null;
  surfaces: Readonly<Record<string, Surface>>;
  /** The snapshot that all look at, or null for what is shared live. */
  shown: string | null;
  /** Whether the customer's program could pass input on to what is shared. */
  controllable: boolean;
  /** The agent who asked for control last. */
  controller: string | null;
  snapshots: readonly Snapshot[];
  chat: readonly Line[];
  notes: readonly Line[];
  bookmarks: readonly Line[];
  /** By participant. */
  paths: Readonly<Record<string, Path>>;
  openedAt: number | null;
  /** When the present sharing began; null when nothing is shared. */
  sharingSince: number | null;
  /** How long all finished sharings took together, ms. */
  sharedMs: number;
  endedAt: number | null;
  endedBy: string | null;
  outcome: Outcome | null;
}

export const NEW_SESSION: Session = {
  seq: 0,
  phase: "waiting",
  recording: "off",
  recordingFailed: null,
  recorded: false,
  consents: {},
  organization: "",
  subject: "",
  askRecording: false,
  strictRecording: false,
  allowControl: false,
  agent: null,
  participants: {},
  surface: null,
  surfaces: {},
  shown: null,
  controllable: false,
  controller: null,
  snapshots: [],
  chat: [],
  notes: [],
  bookmarks: [],
  paths: {},
  openedAt: null,
  sharingSince: null,
  sharedMs: 0,
  endedAt: null,
  endedBy: null,
  outcome: null,
};

/** When what an event tells happened, ms since 1970: a bookmark means a moment before its title was written. */
export function momentOf(event: Event): number {
  return event.body.type === "bookmark_added" ? event.body.at : event.at;
}

/** The session after `event`. */
export function apply(session: Session, event: Event): Session {
  return { ...session, ...changes(session, event, event.body), seq: event.seq };
}

export function fold(events: Iterable<Event>, session: Session = NEW_SESSION): Session {
  for (const event of events) session = apply(session, event);
  return session;
}

/** Whether nothing may be shared now, because it would not be recorded. */
export function mustHold(session: Session): boolean {
  return session.strictRecording && session.recording === "on" && session.recordingFailed !== null;
}

/** Whether view consent is live and something is shared: the one condition of everything about the picture. */
export function isSeen(session: Session): boolean {
  return (session.phase === "sharing" || session.phase === "paused") && session.consents.view === "given";
}

/** Whether an agent may ask for control, and the customer grant it: only of a desktop that is seen right now. */
export function mayBeControlled(session: Session): boolean {
  const desktop = session.surface?.kind === "monitor" || session.surface?.kind === "window";
  return session.phase === "sharing" && isSeen(session) && session.allowControl && session.controllable && desktop;
}

/** The agent whose input goes to what is shared. */
export function controlledBy(session: Session): string | null {
  return mayBeControlled(session) && session.consents.control === "given" ? session.controller : null;
}

export function present(session: Session, ...roles: Role[]): Participant[] {
  return Object.values(session.participants).filter((each) => each.present && roles.includes(each.role));
}

/**
 * Whether the recorder hands the picture on to who sees: when it is recorded, or several see it. Not one to one without
 * a recording, which stays end to end.
 */
export function isRelayed(session: Session): boolean {
  if (!isSeen(session) || session.surface?.kind === "picture" || present(session, "recorder").length === 0)
    return false;
  return session.recording === "on" || present(session, "agent").length > 1;
}

/** What all look at now. */
export function shownSurface(session: Session): Surface | null {
  return session.shown === null ? session.surface : (session.surfaces[session.shown] ?? null);
}

/** How long something has been shared until `now`, ms since 1970. */
export function sharedFor(session: Session, now: number): number {
  return session.sharedMs + (session.sharingSince === null ? 0 : Math.max(0, now - session.sharingSince));
}

function changes(session: Session, event: Event, body: EventBody): Partial<Session> {
  const line = (text: string): Line => ({ seq: event.seq, at: event.at, author: event.actor, text });
  switch (body.type) {
    case "session_opened":
      return {
        organization: body.organization,
        subject: body.subject,
        askRecording: body.ask_recording,
        strictRecording: body.strict_recording ?? false,
        allowControl: body.allow_control ?? false,
        openedAt: event.at,
      };
    case "agent_assigned":
      return { agent: { user: body.user, name: body.name } };
    case "joined":
      return {
        participants: withParticipant(session, {
          id: body.participant,
          role: body.role,
          name: body.name,
          present: true,
        }),
        ...(body.role === "customer" ? { phase: "joined" } : {}),
      };
    case "left": {
      const gone = session.participants[body.participant];
      if (!gone) return {};
      const participants = withParticipant(session, { ...gone, present: false });
      // With the recorder goes what it passed on: until they say so again, nobody's picture comes that way.
      const ended = gone.role === "recorder" ? "recorder" : null;
      const paths = without(session.paths, (id, path) => id === gone.id || path === ended);
      if (gone.role !== "customer" || !gone.present) return { participants, paths };
      return { participants, paths, phase: "waiting", consents: {}, recording: "off" };
    }
    case "consent_asked":
      return {
        consents: { ...session.consents, [body.scope]: "asked" },
        ...(body.scope === "view" ? { phase: "consent_asked" } : {}),
        ...(body.scope === "record" ? { recording: "asked" } : {}),
        ...(body.scope === "control" ? { controller: event.actor } : {}),
      };
    case "consent_given":
      return { consents: { ...session.consents, [body.scope]: "given" } };
    case "consent_refused":
      return {
        consents: { ...session.consents, [body.scope]: "refused" },
        ...(body.scope === "view" ? { phase: "joined" } : {}),
        ...(body.scope === "record" ? { recording: "refused" } : {}),
      };
    case "consent_withdrawn":
      return {
        consents: without(session.consents, (scope) => scope === body.scope),
        ...(body.scope === "view" ? { phase: "joined" } : {}),
        ...(body.scope === "record" ? { recording: "off" } : {}),
      };
    case "sharing_started":
      return { phase: "sharing", sharingSince: event.at, ...surfaceChange(session, body) };
    case "surface_changed":
      return surfaceChange(session, body);
    case "sharing_paused":
      return { phase: "paused" };
    case "sharing_resumed":
      return { phase: "sharing" };
    case "sharing_stopped":
      return {
        phase: "joined",
        recording: "off",
        consents: {},
        surface: null,
        shown: null,
        sharedMs: sharedFor(session, event.at),
        sharingSince: null,
        paths: {},
      };
    case "snapshot_taken":
      return {
        surfaces: { ...session.surfaces, [body.surface.id]: body.surface },
        snapshots: [
          ...session.snapshots,
          { surface: body.surface, at: event.at, author: event.actor, requestedBy: body.requested_by },
        ],
      };
    case "surface_shown":
      return { shown: body.surface };
    case "chat_said":
      return { chat: [...session.chat, line(body.text)] };
    case "note_added":
      return { notes: [...session.notes, line(body.text)] };
    case "bookmark_added":
      return { bookmarks: [...session.bookmarks, { ...line(body.title), at: body.at }] };
    case "path_changed":
      return { paths: { ...session.paths, [body.participant]: body.path } };
    case "recording_started":
      return { recording: "on", recordingFailed: null, recorded: true };
    case "recording_stopped":
      return {
        recording: "off",
        recordingFailed: null,
        consents: without(session.consents, (scope) => scope === "record"),
      };
    case "recording_failed":
      return { recordingFailed: body.reason };
    case "recording_restored":
      return { recordingFailed: null };
    case "session_ended":
      return {
        phase: "ended",
        consents: {},
        paths: {},
        endedAt: event.at,
        endedBy: event.actor,
        outcome: body.outcome,
        participants: Object.fromEntries(
          Object.values(session.participants).map((each) => [each.id, { ...each, present: false }]),
        ),
      };
    default:
      // Annotations are folded by the board, and the end of a segment matters to the player alone.
      return {};
  }
}

function withParticipant(session: Session, participant: Participant): Record<string, Participant> {
  return { ...session.participants, [participant.id]: participant };
}

function surfaceChange(session: Session, { surface, controllable }: SharingStarted | SurfaceChanged): Partial<Session> {
  const surfaces = { ...session.surfaces, [surface.id]: surface };
  return { surface, surfaces, shown: null, controllable: controllable ?? false };
}

function without<Value>(
  record: Readonly<Record<string, Value>>,
  isGone: (key: string, value: Value) => boolean,
): Record<string, Value> {
  return Object.fromEntries(Object.entries(record).filter(([key, value]) => !isGone(key, value)));
}

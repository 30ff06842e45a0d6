import { expect, test } from "vitest";
import type { Event, EventBody, Surface } from "../../../signaling/browser/messages";
import {
  apply,
  controlledBy,
  fold,
  isSeen,
  mayBeControlled,
  present,
  sharedFor,
  shownSurface,
} from "../../../signaling/browser/session";

const SCREEN: Surface = { id: "screen", kind: "monitor", label: "", width: 1280, height: 720 };
const STILL: Surface = { ...SCREEN, id: "still" };

function story(...bodies: EventBody[]): Event[] {
  return bodies.map((body, index) => ({ seq: index + 1, at: 1000 * (index + 1), actor: "dana", body }));
}

const SHARED: EventBody[] = [
  {
    type: "session_opened",
    organization: "ACME",
    subject: "Invoice",
    ask_recording: true,
    strict_recording: false,
    allow_control: false,
  },
  { type: "agent_assigned", user: "u1", name: "Alice" },
  { type: "joined", participant: "dana", role: "customer", name: "Dana" },
  { type: "joined", participant: "alice", role: "agent", name: "Alice" },
  { type: "consent_asked", scope: "view" },
  { type: "consent_given", scope: "view" },
  { type: "sharing_started", surface: SCREEN, controllable: false },
];

test("a screen is seen between the yes and the stop, and at no other time", () => {
  const phases = story(...SHARED, { type: "sharing_paused" }, { type: "sharing_stopped" }).map((_, index, events) =>
    isSeen(fold(events.slice(0, index + 1))),
  );
  expect(phases).toEqual([false, false, false, false, false, false, true, true, false]);
});

test("a stop takes every consent back and keeps what was counted", () => {
  const session = fold(story(...SHARED, { type: "sharing_stopped" }));
  expect([session.phase, session.consents, session.surface]).toEqual(["joined", {}, null]);
  expect(sharedFor(session, 99_000)).toBe(1000);
});

test("what is shown is the snapshot, until the live picture is shown again or changes", () => {
  const taken: EventBody = { type: "snapshot_taken", surface: STILL, requested_by: null, digest: "" };
  const events = story(...SHARED, taken, { type: "surface_shown", surface: "still" });
  expect(shownSurface(fold(events))?.id).toBe("still");
  const wider = { ...SCREEN, width: 1920 };
  const changed = apply(fold(events), {
    seq: 10,
    at: 10_000,
    actor: "dana",
    body: { type: "surface_changed", surface: wider, controllable: false },
  });
  expect(shownSurface(changed)).toEqual(wider);
});

test("recording is on only between its start and its stop, and a failure is told until it goes on", () => {
  const on = fold(story(...SHARED, { type: "consent_given", scope: "record" }, { type: "recording_started" }));
  expect([on.recording, on.recorded]).toEqual(["on", true]);
  const failed = apply(on, { seq: 10, at: 1, actor: "system", body: { type: "recording_failed", reason: "lost" } });
  expect([failed.recording, failed.recordingFailed]).toEqual(["on", "lost"]);
  const stopped = apply(failed, { seq: 11, at: 1, actor: "system", body: { type: "recording_stopped" } });
  expect([stopped.recording, stopped.recordingFailed, stopped.recorded]).toEqual(["off", null, true]);
});

test("control is that of who asked for it, as long as the desktop is seen, and is never that of a browser's tab", () => {
  const handed = (kind: Surface["kind"], ...after: EventBody[]) => {
    const asked = story(
      ...SHARED.map((body) => (body.type === "session_opened" ? { ...body, allow_control: true } : body)).slice(0, -1),
      { type: "sharing_started", surface: { ...SCREEN, kind }, controllable: true },
      { type: "consent_asked", scope: "control" },
      { type: "consent_given", scope: "control" },
      ...after,
    );
    return fold(asked.map((event) => (event.seq === 8 ? { ...event, actor: "alice" } : event)));
  };
  expect(controlledBy(handed("monitor"))).toBe("alice");
  expect(controlledBy(handed("browser"))).toBeNull();
  expect(controlledBy(handed("window", { type: "sharing_paused" }))).toBeNull();
  const ended = handed("window", { type: "consent_withdrawn", scope: "control" });
  expect([controlledBy(ended), mayBeControlled(ended)]).toEqual([null, true]);
});

test("who left is known by name and not present; a customer's leaving clears consents, an agent's does not", () => {
  const withoutAlice = fold(story(...SHARED, { type: "left", participant: "alice", reason: "left" }));
  expect(present(withoutAlice, "agent")).toEqual([]);
  expect(withoutAlice.participants.alice?.name).toBe("Alice");
  expect(isSeen(withoutAlice)).toBe(true);
  const seen: EventBody = { type: "path_changed", participant: "alice", path: "recorder" };
  const recorder: EventBody = { type: "joined", participant: "recorder", role: "recorder", name: "Recorder" };
  const passedOn = fold(story(...SHARED, recorder, seen));
  expect(passedOn.paths).toEqual({ alice: "recorder" });
  for (const participant of ["alice", "recorder"]) {
    const gone: EventBody = { type: "left", participant, reason: "lost" };
    expect(apply(passedOn, { seq: 10, at: 1, actor: "system", body: gone }).paths).toEqual({});
  }
  const withoutDana = fold(
    story(...SHARED, { type: "sharing_stopped" }, { type: "left", participant: "dana", reason: "lost" }),
  );
  expect([withoutDana.phase, withoutDana.consents]).toEqual(["waiting", {}]);
});

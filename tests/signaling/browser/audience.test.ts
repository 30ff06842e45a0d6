import { afterEach, expect, test, vi } from "vitest";
import { Asking, audienceOf, whyRelayed } from "../../../signaling/browser/audience";
import type { Event, EventBody, Path, Role, Surface } from "../../../signaling/browser/messages";
import { fold, isRelayed, type Session } from "../../../signaling/browser/session";

const SCREEN: Surface = { id: "screen", kind: "monitor", label: "", width: 1280, height: 720 };
const RECORDED: EventBody[] = [{ type: "consent_given", scope: "record" }, { type: "recording_started" }];

function joined(participant: string, role: Role): EventBody {
  return { type: "joined", participant, role, name: participant };
}

function left(participant: string): EventBody {
  return { type: "left", participant, reason: "left" };
}

afterEach(() => {
  vi.useRealTimers();
});

/** Dana shows her screen to Alice; then this happens. `path` is a change of how an agent's picture comes. */
function session(...more: EventBody[]): Session {
  const bodies: EventBody[] = [
    joined("dana", "customer"),
    joined("alice", "agent"),
    { type: "consent_given", scope: "view" },
    { type: "sharing_started", surface: SCREEN, controllable: false },
    ...more,
  ];
  return fold(bodies.map((body, index): Event => ({ seq: index + 1, at: index, actor: "", body })));
}

function path(participant: string, way: Path): EventBody {
  return { type: "path_changed", participant, path: way };
}

/** To whom Dana sends while she has connections to `served`, and `asked` want one. */
function audience(now: Session, served: string[] = ["alice"], asked: string[] = []): string[] {
  const sender = { serves: (id: string) => served.includes(id) };
  return audienceOf(now, new Set(asked), sender).map(({ id }) => id);
}

test("one to one without a recording goes from Dana to Alice, even when a recorder is there", () => {
  expect(audience(session())).toEqual(["alice"]);
  const refused = session({ type: "consent_refused", scope: "record" }, joined("recorder", "recorder"));
  expect(isRelayed(refused)).toBe(false);
  expect(audience(refused)).toEqual(["alice"]);
});

test("a recorded picture goes once to the recorder, and to Alice until she has it from there", () => {
  const recorded = [...RECORDED, joined("recorder", "recorder"), path("alice", "direct")];
  expect(isRelayed(session(...recorded))).toBe(true);
  expect(audience(session(...recorded))).toEqual(["alice", "recorder"]);
  const carried = session(...recorded, path("alice", "recorder"));
  expect(audience(carried)).toEqual(["recorder"]);
  expect([whyRelayed(session(...recorded)), whyRelayed(carried)]).toEqual([null, "recorded"]);
  expect(whyRelayed(session(...recorded, path("alice", "snapshots")))).toBe("snapshots");
});

test("two viewers are served by the recorder without a recording; who comes later is sent nothing directly", () => {
  const both = session(joined("bob", "agent"), joined("recorder", "recorder"), path("alice", "recorder"));
  expect(isRelayed(both)).toBe(true);
  expect(audience(both, [])).toEqual(["recorder"]);
  expect(whyRelayed(both)).toBe("several");
  expect(isRelayed(session(joined("bob", "agent")))).toBe(false);
});

test("who asks for a connection of its own gets one, recorder or not", () => {
  const relayed = session(...RECORDED, joined("recorder", "recorder"), path("alice", "recorder"));
  expect(audience(relayed, [], ["alice"])).toEqual(["alice", "recorder"]);
});

test("the recorder is sent to until the last viewer has the picture directly again, and not when it is gone", () => {
  const stopped = [...RECORDED, joined("recorder", "recorder"), path("alice", "recorder")];
  stopped.push({ type: "recording_stopped" });
  expect(audience(session(...stopped), [])).toEqual(["alice", "recorder"]);
  expect(audience(session(...stopped, path("alice", "turn")))).toEqual(["alice"]);
  expect(audience(session(...stopped, left("recorder")), [])).toEqual(["alice"]);
});

test("a recorder that is lost while it records leaves the picture to Dana's own connections", () => {
  const lost = session(...RECORDED, joined("recorder", "recorder"), path("alice", "recorder"), left("recorder"));
  expect(isRelayed(lost)).toBe(false);
  expect(audience(lost, [])).toEqual(["alice"]);
});

test("pictures that are sent one by one are nobody's to pass on", () => {
  const pictures = session(
    { type: "sharing_stopped" },
    { type: "consent_given", scope: "view" },
    { type: "sharing_started", surface: { ...SCREEN, id: "pictures", kind: "picture" }, controllable: false },
    joined("bob", "agent"),
    joined("recorder", "recorder"),
  );
  expect(isRelayed(pictures)).toBe(false);
});

test("a browser serves no more than four when a recorder with many viewers is gone", () => {
  const many = Array.from({ length: 9 }, (_, number) => joined(`agent-${number}`, "agent"));
  expect(audience(session(...many), [])).toEqual(["alice", "agent-0", "agent-1", "agent-2"]);
});

test("who asked is remembered until it says how the picture comes, or for ten seconds", () => {
  vi.useFakeTimers();
  const forgotten = vi.fn();
  const asking = new Asking(forgotten);
  asking.add("alice");
  vi.advanceTimersByTime(9_000);
  asking.add("alice");
  asking.add("bob");
  asking.follow({ seq: 1, at: 0, actor: "bob", body: path("bob", "direct") });
  vi.advanceTimersByTime(9_999);
  expect([asking.has("alice"), asking.has("bob"), forgotten.mock.calls.length]).toEqual([true, false, 0]);
  vi.advanceTimersByTime(1);
  expect([asking.has("alice"), forgotten.mock.calls.length]).toEqual([false, 1]);
});

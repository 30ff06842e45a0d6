import { describe, expect, test } from "vitest";
import el from "../../../agent_client/browser/languages/el.json";
import en from "../../../agent_client/browser/languages/en.json";
import ru from "../../../agent_client/browser/languages/ru.json";
import { layFilm } from "../../../agent_client/browser/review/film";
import { chaptersOf, currentMoment, marksOf, momentsOf } from "../../../agent_client/browser/review/moments";
import { sceneAt, scenesOf } from "../../../agent_client/browser/review/scene";
import { fill } from "../../../signaling/browser/language";
import type { Event, EventBody, Surface } from "../../../signaling/browser/messages";

const T = 1_700_000_000_000;
const screen: Surface = { id: "screen", kind: "monitor", label: "", width: 1280, height: 720 };
const picture: Surface = { id: "frozen", kind: "picture", label: "", width: 640, height: 480 };

function timeline(...facts: [at: number, actor: string, body: EventBody][]): Event[] {
  return facts.map(([at, actor, body], index) => ({ seq: index + 1, at: T + at, actor, body }));
}

function mark(id: string, shape: "stroke" | number): EventBody {
  return {
    type: "annotation_added",
    annotation: {
      id,
      surface: "screen",
      color: "#ff0000",
      width: 0.005,
      fade: false,
      shape:
        shape === "stroke"
          ? { kind: "stroke", points: [[0.1, 0.1]] }
          : { kind: "step", at: [0.5, 0.5], number: shape, text: "Click here" },
    },
  };
}

const alice: EventBody = { type: "joined", participant: "p1", role: "agent", name: "Alice" };
const dana: EventBody = { type: "joined", participant: "p2", role: "customer", name: "Dana" };
const words = (key: string) => (en as Record<string, string>)[key] ?? key;
const told = (events: Event[]) =>
  momentsOf(events, words).map(({ key, values }) => fill((en as Record<string, string>)[key] ?? key, values, "en"));

describe("the timeline in words", () => {
  test("names people as they joined, never by their ids", () => {
    const events = timeline(
      [0, "p1", alice],
      [100, "p2", dana],
      [200, "p2", { type: "consent_given", scope: "record" }],
      [300, "p2", { type: "sharing_started", surface: screen, controllable: false }],
      [400, "p1", { type: "bookmark_added", title: "The error", at: T + 400 }],
      [500, "p2", { type: "left", participant: "p2", reason: "lost" }],
      [600, "p1", { type: "session_ended", outcome: "solved" }],
    );
    expect(told(events)).toEqual([
      "Alice came in (agent)",
      "Dana came in (customer)",
      "Dana agreed to be recorded",
      "Dana shared a whole screen, 1280\u00a0×\u00a0720",
      "Alice bookmarked “The error”",
      "Dana lost the connection",
      "Alice ended the session: solved",
    ]);
  });

  test("tells the marks of one hand as one line, and a numbered step apart", () => {
    const events = timeline(
      [0, "p1", alice],
      [1_000, "p1", mark("a", "stroke")],
      [2_000, "p1", mark("b", "stroke")],
      [3_000, "p1", mark("c", 1)],
      [9_000, "p1", mark("d", "stroke")],
    );
    expect(told(events)).toEqual([
      "Alice came in (agent)",
      "Alice drew 2 marks",
      "Alice set step 1",
      "Alice drew 1 mark",
    ]);
  });

  test("leaves out the recorder's files", () => {
    const started: EventBody = {
      type: "segment_started",
      segment: "s",
      participant: "dana",
      codec: "vp8",
      started_at: T,
    };
    const grown: EventBody = { type: "segment_grown", segment: "s", bytes: 65536, digest: "" };
    const events = timeline([0, "r", started], [60_000, "r", grown]);
    expect(momentsOf(events, words)).toEqual([]);
  });

  test("tells what was erased by its sort alone, and calls the customer by no name", () => {
    const erased = (was: string): EventBody => ({ type: "body_erased", was });
    const events = timeline(
      [0, "p1", alice],
      [100, "system", erased("joined")],
      [200, "p2", { type: "consent_given", scope: "record" }],
      [300, "p2", erased("chat_said")],
      [400, "p2", erased("chat_said")],
      [500, "p1", { type: "left", participant: "p2", reason: "left" }],
    );
    expect(told(events)).toEqual([
      "Alice came in (agent)",
      "The customer came in, erased with the recording",
      "Customer agreed to be recorded",
      "Chat (2), erased with the recording",
      "Customer left",
    ]);
  });

  test("has a sentence in every language for everything that can happen", () => {
    const surface = { ...screen };
    const bodies: EventBody[] = [
      {
        type: "session_opened",
        organization: "",
        subject: "",
        ask_recording: true,
        strict_recording: false,
        allow_control: false,
      },
      { type: "agent_assigned", user: "u", name: "Alice" },
      alice,
      ...(["left", "lost", "replaced", "removed"] as const).map(
        (reason): EventBody => ({ type: "left", participant: "p1", reason }),
      ),
      ...(["consent_asked", "consent_given", "consent_refused", "consent_withdrawn"] as const).flatMap((type) =>
        (["view", "record", "voice", "control"] as const).map((scope): EventBody => ({ type, scope })),
      ),
      ...(["monitor", "window", "browser", "picture", "camera"] as const).flatMap((kind): EventBody[] => [
        { type: "sharing_started", surface: { ...surface, kind }, controllable: false },
        { type: "surface_changed", surface: { ...surface, kind }, controllable: false },
      ]),
      { type: "sharing_paused" },
      { type: "sharing_resumed" },
      { type: "sharing_stopped" },
      { type: "snapshot_taken", surface: picture, requested_by: null, digest: "" },
      { type: "surface_shown", surface: "frozen" },
      { type: "surface_shown", surface: null },
      mark("a", "stroke"),
      mark("b", 2),
      { type: "annotations_erased", annotations: ["a"] },
      { type: "annotations_restored", annotations: ["a"] },
      { type: "chat_said", text: "Hello" },
      { type: "note_added", text: "Hm" },
      { type: "bookmark_added", title: "Here", at: T },
      ...(["direct", "turn", "recorder", "snapshots"] as const).map(
        (path): EventBody => ({ type: "path_changed", participant: "p1", path }),
      ),
      { type: "recording_started" },
      { type: "recording_stopped" },
      { type: "recording_failed", reason: "disk_full" },
      { type: "recording_failed", reason: "lost" },
      ...(
        [
          "session_opened",
          "joined",
          "sharing_started",
          "surface_changed",
          "snapshot_taken",
          "chat_said",
          "note_added",
          "bookmark_added",
          "annotation_added",
        ] as const
      ).map((was): EventBody => ({ type: "body_erased", was })),
      { type: "session_ended", outcome: null },
      ...(["solved", "unsolved", "escalated", "abandoned"] as const).map(
        (outcome): EventBody => ({ type: "session_ended", outcome }),
      ),
    ];
    for (const [language, dictionary] of Object.entries({ en, ru, el } as Record<string, Record<string, string>>)) {
      const asked: string[] = [];
      const moments = momentsOf(
        timeline(...bodies.map((body): [number, string, EventBody] => [0, "p1", body])),
        (key) => {
          asked.push(key);
          return dictionary[key] ?? "";
        },
      );
      for (const key of [...asked, ...moments.map((moment) => moment.key)]) {
        expect(dictionary, `${language} ${key}`).toHaveProperty([key]);
      }
      for (const { key, values } of moments) {
        expect(fill(dictionary[key] ?? "", values, language), `${language} ${key}`).not.toMatch(/[{}]/);
      }
    }
  });
});

test("a bookmark stands at the moment that it marks, however long its title took", () => {
  const events = timeline(
    [0, "p1", alice],
    [2_000, "p2", dana],
    [3_000, "p1", { type: "bookmark_added", title: "Before Dana", at: T + 1_000 }],
  );
  expect(momentsOf(events, words).map(({ at, type }) => [at - T, type])).toEqual([
    [0, "joined"],
    [1_000, "bookmark_added"],
    [2_000, "joined"],
  ]);
});

test("the line of now is the last one that has begun", () => {
  const moments = momentsOf(timeline([0, "p1", alice], [1_000, "p2", dana]), words);
  expect(currentMoment(moments, T - 1)).toBe(-1);
  expect(currentMoment(moments, T + 999)).toBe(0);
  expect(currentMoment(moments, T + 1_000)).toBe(1);
});

test("marks that would lie on one another are one mark that names them all", () => {
  const said = (at: number): [number, string, EventBody] => [at, "p1", { type: "chat_said", text: String(at) }];
  const moments = momentsOf(timeline(said(0), said(10), said(5_000)), words);
  const film = layFilm([], { start: T, end: T + 10_000 });
  const marks = marksOf(moments, "chat", film, 0.01);
  expect(marks.map((one) => one.moments.length)).toEqual([2, 1]);
  expect(marks.map((one) => one.fraction)).toEqual([0, 0.5]);
  expect(marksOf(moments, "ink", film, 0.01)).toEqual([]);
});

test("the chapters of a clip are the bookmarks and the lasting steps within it", () => {
  const events = timeline(
    [1_000, "p1", { type: "bookmark_added", title: "Too early", at: T + 1_000 }],
    [6_000, "p1", mark("b", 3)],
    [6_500, "p1", { type: "bookmark_added", title: "Settings", at: T + 5_000 }],
    [7_000, "p1", mark("slip", 4)],
    [8_000, "p1", { type: "annotations_erased", annotations: ["slip"] }],
    [9_000, "p1", { type: "bookmark_added", title: "Too late", at: T + 9_000 }],
  );
  expect(chaptersOf(events, T + 2_000, T + 9_000)).toEqual([
    { at: T + 5_000, key: "bookmark", title: "Settings", number: 0 },
    { at: T + 6_000, key: "step", title: "Click here", number: 3 },
  ]);
});

describe("what was to be seen", () => {
  const scenes = scenesOf(
    timeline(
      [1_000, "p2", { type: "sharing_started", surface: screen, controllable: false }],
      [2_000, "p1", { type: "snapshot_taken", surface: picture, requested_by: null, digest: "" }],
      [2_500, "p1", { type: "surface_shown", surface: "frozen" }],
      [4_000, "p1", { type: "surface_shown", surface: null }],
      [5_000, "p2", { type: "surface_changed", surface: { ...screen, width: 800, height: 600 }, controllable: false }],
      [6_000, "p2", { type: "sharing_paused" }],
      [7_000, "p2", { type: "sharing_stopped" }],
    ),
  );
  const at = (ms: number) => sceneAt(scenes, T + ms);

  test("nothing before the sharing began", () => {
    expect(at(0)).toMatchObject({ sharing: "not_yet", live: null, shown: null });
  });

  test("the live surface, and a frozen picture for as long as it was shown", () => {
    expect(at(2_499)).toMatchObject({ live: { id: "screen" }, shown: null });
    expect(at(2_500)).toMatchObject({ live: { id: "screen" }, shown: { id: "frozen", width: 640 } });
    expect(at(4_000).shown).toBeNull();
  });

  test("the new size of a window from the moment it changed", () => {
    expect(at(4_999).live?.width).toBe(1280);
    expect(at(5_000).live?.width).toBe(800);
  });

  test("a pause, and the end", () => {
    expect(at(6_500).sharing).toBe("paused");
    expect(at(8_000).sharing).toBe("stopped");
  });
});

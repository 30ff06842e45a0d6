import { describe, expect, test } from "vitest";
import {
  clampTo,
  clockText,
  fractionOf,
  gapsOf,
  layFilm,
  mediaTime,
  momentAt,
  momentOf,
  recordedMs,
  type Segment,
  stretchAfter,
  stretchAt,
  voicesAt,
} from "../../../agent_client/browser/review/film";
import { causeOf, withGaps } from "../../../agent_client/browser/review/gaps";
import { isApart, voiceTime } from "../../../agent_client/browser/review/voices";
import type { EventBody } from "../../../signaling/browser/messages";

const T = 1_700_000_000_000;
const segment = (id: string, from: number, duration_ms: number | null, more: Partial<Segment> = {}): Segment => ({
  id,
  participant: "dana",
  codec: "VP9",
  missing: false,
  started_at: T + from,
  duration_ms,
  url: `/segments/${id}`,
  ...more,
});
const voice = (id: string, from: number, duration_ms: number): Segment =>
  segment(id, from, duration_ms, { codec: "OPUS", participant: "alice" });
const SPAN = { start: T, end: T + 60_000 };

describe("a film of two segments with a pause between them", () => {
  const film = layFilm([segment("b", 15_000, 5_000), segment("a", 0, 10_000)], SPAN);

  test("spans from the first frame to the last one, in order of time", () => {
    expect([film.start, film.end]).toEqual([T, T + 20_000]);
    expect(film.stretches.map(({ segment }) => segment?.id ?? null)).toEqual(["a", null, "b"]);
  });

  test("shows the pause as a gap of its true length", () => {
    const gap = stretchAt(film, T + 12_000);
    expect(gap.segment).toBeNull();
    expect([gap.start, gap.end]).toEqual([T + 10_000, T + 15_000]);
    expect(recordedMs(film)).toBe(15_000);
  });

  test("turns a moment into a file and its currentTime, and back", () => {
    const stretch = stretchAt(film, T + 17_500);
    expect(stretch.segment?.id).toBe("b");
    expect(mediaTime(stretch, T + 17_500)).toBe(2.5);
    expect(momentOf(stretch, 2.5)).toBe(T + 17_500);
  });

  test("goes from one stretch to the next, and ends after the last", () => {
    const first = stretchAt(film, T);
    const gap = stretchAfter(film, first);
    expect(gap?.segment).toBeNull();
    const last = gap && stretchAfter(film, gap);
    expect(last?.segment?.id).toBe("b");
    expect(last && stretchAfter(film, last)).toBeNull();
  });

  test("keeps a file that is longer than announced from running into the gap", () => {
    expect(momentOf(stretchAt(film, T), 99)).toBe(T + 10_000);
  });

  test("takes the moment where a file ends as the beginning of what follows", () => {
    expect(stretchAt(film, T + 10_000).segment).toBeNull();
    expect(stretchAt(film, T + 15_000).segment?.id).toBe("b");
  });

  test("gives the first stretch before the film and the last one after it", () => {
    expect(stretchAt(film, T - 5_000).segment?.id).toBe("a");
    expect(stretchAt(film, T + 99_000).segment?.id).toBe("b");
    expect(clampTo(film, T - 5_000)).toBe(T);
    expect(clampTo(film, T + 99_000)).toBe(T + 20_000);
  });

  test("measures moments along the axis, and back", () => {
    expect(fractionOf(film, T + 5_000)).toBe(0.25);
    expect(momentAt(film, 0.25)).toBe(T + 5_000);
    expect(momentAt(film, 7)).toBe(film.end);
  });
});

test("the moment that it takes to open another file is no gap", () => {
  const film = layFilm([segment("a", 0, 9_900), segment("b", 10_000, 5_000)], SPAN);
  expect(film.stretches.map(({ segment }) => segment?.id ?? null)).toEqual(["a", "b"]);
  expect(stretchAt(film, T + 9_950).segment?.id).toBe("a");
});

test("where two files overlap the later one is shown", () => {
  const film = layFilm([segment("a", 0, 10_000), segment("b", 8_000, 5_000)], SPAN);
  expect(stretchAt(film, T + 9_000).segment?.id).toBe("b");
  expect(film.end).toBe(T + 13_000);
});

test("a file that is still written is left out until it is finished", () => {
  const film = layFilm([segment("a", 0, 10_000), segment("b", 20_000, null)], SPAN);
  expect(film.end).toBe(T + 10_000);
});

test("a session without any file is one gap over what happened", () => {
  const film = layFilm([], SPAN);
  expect(film.stretches).toEqual([{ start: T, end: T + 60_000, segment: null, missing: false }]);
  expect(gapsOf(film)).toEqual([]);
  expect(layFilm([], { start: T, end: T }).end).toBeGreaterThan(T);
});

describe("voices in files of their own", () => {
  const film = layFilm([segment("a", 1_000, 10_000), voice("v", 0, 4_000), voice("w", 9_000, 5_000)], SPAN);

  test("are no pictures, and are heard at their moments", () => {
    expect(film.stretches.map(({ segment }) => segment?.id ?? null)).toEqual([null, "a", null]);
    expect(voicesAt(film, T + 500).map(({ id }) => id)).toEqual(["v"]);
    expect(voicesAt(film, T + 4_000)).toEqual([]);
    expect(voicesAt(film, T + 9_000).map(({ id }) => id)).toEqual(["w"]);
  });

  test("make the film as long as what is heard of it", () => {
    expect([film.start, film.end]).toEqual([T, T + 14_000]);
    expect(gapsOf(film).map(({ start, end }) => [start - T, end - T])).toEqual([
      [0, 1_000],
      [11_000, 14_000],
    ]);
  });

  test("are all there is when no picture was recorded", () => {
    const heard = layFilm([voice("v", 0, 70_000)], SPAN);
    expect([heard.start, heard.end]).toEqual([T, T + 70_000]);
    expect(heard.stretches).toHaveLength(1);
  });

  test("are moved when they are further off than one hears, and only then", () => {
    const [v] = film.voices;
    expect(v && voiceTime(v, T + 1_500)).toBe(1.5);
    expect(isApart(1.4, 1.5, 1)).toBe(false);
    expect(isApart(1.3, 1.5, 1)).toBe(true);
    expect(isApart(1.3, 1.5, 2)).toBe(false);
  });
});

test("a file that is missing is a gap of its own, at its place", () => {
  const film = layFilm([segment("a", 0, 5_000), segment("b", 5_000, 5_000, { missing: true })], SPAN);
  expect(film.stretches.map(({ segment, missing }) => [segment?.id ?? null, missing])).toEqual([
    ["a", false],
    [null, true],
  ]);
  expect(recordedMs(film)).toBe(5_000);
  expect(gapsOf(layFilm([segment("b", 0, 5_000, { missing: true })], SPAN))).toHaveLength(1);
});

describe("why there is a gap", () => {
  const film = layFilm([segment("a", 0, 10_000), segment("b", 15_000, 5_000)], SPAN);
  const [gap] = gapsOf(film);
  const why = (...facts: [at: number, body: EventBody][]) =>
    gap &&
    causeOf(
      gap,
      facts.map(([at, body], index) => ({ seq: index + 1, at: T + at, actor: "system", body })),
    );
  const recorder: EventBody = { type: "joined", participant: "r", role: "recorder", name: "Recorder" };

  test("is not one yet where a file is being written", () => {
    const begun: EventBody = {
      type: "segment_started",
      segment: "s",
      participant: "d",
      codec: "VP9",
      started_at: T + 10_500,
    };
    expect(why([10_600, begun])).toBe("open");
    expect(why([10_600, begun], [30_000, { type: "session_ended", outcome: null }])).toBe("unknown");
  });

  test("is told from what happened around its beginning", () => {
    expect(why([9_000, { type: "recording_failed", reason: "disk_full" }])).toBe("disk");
    expect(why([12_000, { type: "recording_failed", reason: "lost" }])).toBe("recorder");
    expect(why([0, recorder], [11_000, { type: "left", participant: "r", reason: "lost" }])).toBe("recorder");
    expect(why([10_000, { type: "sharing_paused" }])).toBe("paused");
    expect(
      why([10_000, { type: "recording_stopped" }], [10_001, { type: "left", participant: "d", reason: "left" }]),
    ).toBe("stopped");
  });

  test("is what came first, and not what was over before it began", () => {
    const lost: EventBody = { type: "recording_failed", reason: "lost" };
    expect(why([10_100, lost], [13_000, { type: "recording_stopped" }])).toBe("recorder");
    expect(why([8_000, { type: "sharing_paused" }], [9_000, { type: "sharing_resumed" }], [10_100, lost])).toBe(
      "recorder",
    );
  });

  test("is not made up of what happened at another time", () => {
    expect(why([1_000, { type: "sharing_paused" }], [19_000, { type: "recording_stopped" }])).toBe("unknown");
  });

  test("stands in the list of moments, where the gap begins", () => {
    const told = withGaps([], film, [], (key) => key);
    expect(told.map(({ at, key, values }) => [at - T, key, values.length])).toEqual([
      [10_000, "review.gap_line", "0:05"],
    ]);
  });
});

test("times are written as on a clock, before the start with a minus", () => {
  expect(clockText(65_900)).toBe("1:05");
  expect(clockText(65_430, true)).toBe("1:05.4");
  expect(clockText(3_729_000)).toBe("1:02:09");
  expect(clockText(-7_300)).toBe("\u22120:07");
  expect(clockText(-200)).toBe("0:00");
});

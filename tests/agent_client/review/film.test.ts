import { describe, expect, test } from "vitest";
import {
  clampTo,
  clockText,
  fractionOf,
  layFilm,
  mediaTime,
  momentAt,
  momentOf,
  recordedMs,
  type Segment,
  stretchAfter,
  stretchAt,
} from "../../../agent_client/browser/review/film";

const T = 1_700_000_000_000;
const segment = (id: string, from: number, duration_ms: number | null): Segment => ({
  id,
  started_at: T + from,
  duration_ms,
  url: `/segments/${id}`,
});
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
  expect(film.stretches).toEqual([{ start: T, end: T + 60_000, segment: null }]);
  expect(layFilm([], { start: T, end: T }).end).toBeGreaterThan(T);
});

test("times are written as on a clock, before the start with a minus", () => {
  expect(clockText(65_900)).toBe("1:05");
  expect(clockText(65_430, true)).toBe("1:05.4");
  expect(clockText(3_729_000)).toBe("1:02:09");
  expect(clockText(-7_300)).toBe("\u22120:07");
  expect(clockText(-200)).toBe("0:00");
});

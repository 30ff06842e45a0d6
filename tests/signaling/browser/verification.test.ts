import { expect, test } from "vitest";
import { fingerprint, phraseOf } from "../../../signaling/browser/verification";

test("both sides come to the same phrase", async () => {
  const [alices, danas] = ["AA:01", "bb:02"];
  expect(await phraseOf(alices, danas)).toBe(await phraseOf(danas, alices.toLowerCase()));
  expect(await phraseOf(alices, danas)).toMatch(/^\d{3} \d{3} \d{3} \d{3}$/);
  expect(await phraseOf(alices, "CC:03")).not.toBe(await phraseOf(alices, danas));
});

test("a description that could be proven by another digest vouches for nothing", () => {
  expect(fingerprint("v=0\r\na=fingerprint:sha-256 aa:01\r\n")).toBe("AA:01");
  expect(fingerprint("a=fingerprint:sha-256 AA:01\r\na=fingerprint:sha-512 BB:02\r\n")).toBeNull();
  expect(fingerprint("v=0\r\n")).toBeNull();
});

import { expect, test } from "vitest";
import { audioLevel, pathOf, summarize } from "../../../signaling/browser/quality";

const stats = (received: number, lost: number, bytes: number, frames: number, at: number) => [
  { id: "T", type: "transport", selectedCandidatePairId: "P" },
  { id: "P", type: "candidate-pair", currentRoundTripTime: 0.0421, localCandidateId: "L", remoteCandidateId: "R" },
  { id: "L", type: "local-candidate", candidateType: "host" },
  { id: "R", type: "remote-candidate", candidateType: "relay" },
  { id: "C", type: "codec", mimeType: "video/VP9" },
  {
    id: "V",
    type: "inbound-rtp",
    kind: "video",
    codecId: "C",
    timestamp: at,
    packetsReceived: received,
    packetsLost: lost,
    bytesReceived: bytes,
    framesDecoded: frames,
    frameWidth: 1280,
    frameHeight: 720,
  },
];

test("rates and losses are those since the last look", () => {
  const { totals } = summarize(stats(1000, 100, 1_000_000, 500, 10_000), null);
  const { quality } = summarize(stats(1095, 105, 1_250_000, 530, 11_000), totals);
  expect(quality).toEqual({
    roundTripMs: 42,
    lossPercent: 5,
    framesPerSecond: 30,
    width: 1280,
    height: 720,
    kilobitsPerSecond: 2000,
    relayed: true,
    codec: "VP9",
  });
});

test("the path is told by whose connection it is, and by what is between the two ends", () => {
  const { quality } = summarize(stats(1, 0, 1, 1, 1), null);
  expect(pathOf("customer", quality)).toBe("turn");
  expect(pathOf("customer", { ...quality, relayed: false })).toBe("direct");
  expect(pathOf("customer", { ...quality, relayed: null })).toBe(null);
  expect([pathOf("recorder", null), pathOf(null, quality)]).toEqual(["recorder", null]);
});

test("before anything has come, nothing is claimed", () => {
  expect(summarize([], null).quality).toEqual({
    roundTripMs: null,
    lossPercent: null,
    framesPerSecond: null,
    width: null,
    height: null,
    kilobitsPerSecond: null,
    relayed: null,
    codec: null,
  });
});

test("a voice is as loud as the report says, and silent where there is none", () => {
  const voice = { id: "A", type: "inbound-rtp", kind: "audio", audioLevel: 0.25 };
  expect(audioLevel([...stats(1, 0, 1, 1, 1), voice])).toBe(0.25);
  expect(audioLevel(stats(1, 0, 1, 1, 1))).toBe(0);
});

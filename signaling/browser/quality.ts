// How good a connection is, out of RTCPeerConnection.getStats (W3C webrtc-stats).

import type { Path } from "./messages";

export interface Quality {
  roundTripMs: number | null;
  /** Of the packets since the last time it was asked, 0..100. */
  lossPercent: number | null;
  framesPerSecond: number | null;
  width: number | null;
  height: number | null;
  kilobitsPerSecond: number | null;
  /** Through a TURN server instead of directly. */
  relayed: boolean | null;
  codec: string | null;
}

/** The counters of one moment, from which the next summary takes its rates. */
export interface Totals {
  at: number;
  received: number;
  lost: number;
  bytes: number;
  frames: number;
}

type Entry = Record<string, unknown>;

export function summarize(
  report: { forEach(visit: (entry: Entry) => void): void },
  before: Totals | null,
): { quality: Quality; totals: Totals | null } {
  const entries = new Map<string, Entry>();
  report.forEach((entry) => void entries.set(String(entry.id), entry));
  const all = [...entries.values()];
  const video = all.find((entry) => entry.type === "inbound-rtp" && entry.kind === "video");
  const pair =
    entries.get(String(all.find((entry) => entry.type === "transport")?.selectedCandidatePairId)) ??
    all.find((entry) => entry.type === "candidate-pair" && entry.nominated === true);
  const ends = [entries.get(String(pair?.localCandidateId)), entries.get(String(pair?.remoteCandidateId))];
  const roundTrip = numeric(pair?.currentRoundTripTime);
  const totals = video ? totalsOf(video) : null;
  const seconds = totals && before ? (totals.at - before.at) / 1000 : 0;
  const rate = (key: "bytes" | "frames") =>
    totals && before && seconds > 0 ? Math.max(0, totals[key] - before[key]) / seconds : null;
  const bytes = rate("bytes");
  const frames = rate("frames");
  return {
    totals,
    quality: {
      roundTripMs: roundTrip === null ? null : Math.round(roundTrip * 1000),
      lossPercent: totals ? loss(totals, before) : null,
      framesPerSecond: frames === null ? numeric(video?.framesPerSecond) : Math.round(frames),
      width: numeric(video?.frameWidth),
      height: numeric(video?.frameHeight),
      kilobitsPerSecond: bytes === null ? null : Math.round((bytes * 8) / 1000),
      relayed: pair ? ends.some((end) => end?.candidateType === "relay") : null,
      codec: codecOf(entries.get(String(video?.codecId))),
    },
  };
}

/** How the picture comes over `source`'s connection; null when there is none, or its way is not known yet. */
export function pathOf(
  source: "customer" | "recorder" | null,
  quality: Quality | null,
): Exclude<Path, "snapshots"> | null {
  if (source === "recorder") return "recorder";
  if (source === null || quality === null || quality.relayed === null) return null;
  return quality.relayed ? "turn" : "direct";
}

/** How loud what comes in is, 0..1; 0 when there is no voice in the report. */
export function audioLevel(report: { forEach(visit: (entry: Entry) => void): void }): number {
  let level = 0;
  report.forEach((entry) => {
    if (entry.type === "inbound-rtp" && entry.kind === "audio") level = numeric(entry.audioLevel) ?? 0;
  });
  return level;
}

/** What came over a connection so far, media and reports alike. */
export function receivedBytes(report: { forEach(visit: (entry: Entry) => void): void }): number {
  let bytes = 0;
  report.forEach((entry) => {
    if (entry.type === "transport") bytes += numeric(entry.bytesReceived) ?? 0;
  });
  return bytes;
}

/** How many of ICE's questions whether the other end is there were answered so far. */
export function answeredChecks(report: { forEach(visit: (entry: Entry) => void): void }): number {
  let answered = 0;
  report.forEach((entry) => {
    if (entry.type === "candidate-pair") answered += numeric(entry.responsesReceived) ?? 0;
  });
  return answered;
}

function totalsOf(video: Entry): Totals {
  return {
    at: numeric(video.timestamp) ?? 0,
    received: numeric(video.packetsReceived) ?? 0,
    lost: numeric(video.packetsLost) ?? 0,
    bytes: numeric(video.bytesReceived) ?? 0,
    frames: numeric(video.framesDecoded) ?? 0,
  };
}

function loss(totals: Totals, before: Totals | null): number {
  const lost = Math.max(0, totals.lost - (before?.lost ?? 0));
  const received = totals.received - (before?.received ?? 0);
  return lost + received <= 0 ? 0 : Math.round((1000 * lost) / (lost + received)) / 10;
}

function codecOf(codec: Entry | undefined): string | null {
  const mimeType = codec?.mimeType;
  return typeof mimeType === "string" ? (mimeType.split("/")[1] ?? null) : null;
}

function numeric(value: unknown): number | null {
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}

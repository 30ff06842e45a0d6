// What we ask of a session description: codecs, bit rates, candidates on the wire.

import type { Candidate, IceServer } from "./messages";

/** Best for sharp text first; the rest (retransmission, redundancy) keeps its place behind. */
const CODECS = ["video/vp9", "video/h264", "video/vp8"];
const MAX_BITRATE = 4_000_000;
/** Chromium starts at 300 kbit/s, at which a first keyframe takes a second to get out. */
const START_KILOBITS = 2_500;

export function byPreference<Codec extends { mimeType: string }>(codecs: readonly Codec[]): Codec[] {
  const rank = (codec: Codec) => {
    const index = CODECS.indexOf(codec.mimeType.toLowerCase());
    return index < 0 ? CODECS.length : index;
  };
  return [...codecs].sort((a, b) => rank(a) - rank(b));
}

/** A peer connection's video transceiver that sends a screen: sharp before fluent, up to 4 Mbit/s. */
export function addScreen(pc: RTCPeerConnection): RTCRtpTransceiver {
  const transceiver = pc.addTransceiver("video", {
    direction: "sendonly",
    sendEncodings: [{ maxBitrate: MAX_BITRATE, priority: "high", networkPriority: "high" }],
  });
  const codecs = RTCRtpSender.getCapabilities("video")?.codecs ?? [];
  try {
    transceiver.setCodecPreferences(byPreference(codecs.filter((codec) => !/av1/i.test(codec.mimeType))));
  } catch {
    // A browser that takes only receivable codecs here keeps its own order.
  }
  const parameters = transceiver.sender.getParameters();
  parameters.degradationPreference = "maintain-resolution";
  void transceiver.sender.setParameters(parameters).catch(() => undefined);
  return transceiver;
}

/** The answer, with the rate at which our encoder starts added to each video codec (read by Chromium alone). */
export function withStartBitrate(sdp: string, kilobits = START_KILOBITS): string {
  return sdp
    .split(/(?=^m=)/m)
    .map((section) => (section.startsWith("m=video") ? startBitrate(section, kilobits) : section))
    .join("");
}

function startBitrate(section: string, kilobits: number): string {
  const parameter = `x-google-start-bitrate=${kilobits}`;
  return section
    .replace(/^a=rtpmap:(\d+) (VP8|VP9|H264)\/90000\r?\n/gm, (line, payload: string) => {
      const existing = new RegExp(`^a=fmtp:${payload} `, "m").test(section);
      return existing ? line : `${line}a=fmtp:${payload} ${parameter}\r\n`;
    })
    .replace(/^(a=fmtp:(\d+) )(?!x-google|apt=)(.*)$/gm, (line, head: string, payload: string, rest: string) => {
      const video = new RegExp(`^a=rtpmap:${payload} (VP8|VP9|H264)/`, "m").test(section);
      return video ? `${head}${rest.trimEnd()};${parameter}${line.endsWith("\r") ? "\r" : ""}` : line;
    });
}

export function rtcIceServers(servers: readonly IceServer[]): RTCIceServer[] {
  return servers.map(({ urls, username, credential }) => ({
    urls,
    ...(username === null ? {} : { username }),
    ...(credential === null ? {} : { credential }),
  }));
}

/** A gathered candidate for `to`; null is the end of them. */
export function outgoingCandidate(to: string, connection: string, candidate: RTCIceCandidate | null): Candidate {
  return {
    type: "candidate",
    to,
    connection,
    candidate: candidate?.candidate ?? "",
    sdp_mid: candidate?.sdpMid ?? null,
    sdp_m_line_index: candidate?.sdpMLineIndex ?? null,
  };
}

/** Gives a peer connection its peer's candidates, which may come before the description that they belong to. */
export class IncomingCandidates {
  readonly #pc: RTCPeerConnection;
  #early: RTCIceCandidateInit[] | null = [];

  constructor(pc: RTCPeerConnection) {
    this.#pc = pc;
  }

  add(message: Candidate): void {
    const candidate = {
      candidate: message.candidate,
      sdpMid: message.sdp_mid ?? (message.sdp_m_line_index === null ? "0" : null),
      sdpMLineIndex: message.sdp_m_line_index,
    };
    if (this.#early) this.#early.push(candidate);
    else this.#give(candidate);
  }

  /** The remote description is set. */
  described(): void {
    const early = this.#early ?? [];
    this.#early = null;
    for (const candidate of early) this.#give(candidate);
  }

  #give(candidate: RTCIceCandidateInit): void {
    // A candidate that this browser can't use (another address family, an unknown name) is one way less, not an error.
    void this.#pc.addIceCandidate(candidate).catch(() => undefined);
  }
}

import { expect, test } from "vitest";
import {
  byPreference,
  outgoingCandidate,
  rtcIceServers,
  withStartBitrate,
} from "../../../signaling/browser/description";

const ANSWER = [
  "v=0",
  "m=video 9 UDP/TLS/RTP/SAVPF 98 99 96 97",
  "a=rtpmap:98 VP9/90000",
  "a=fmtp:98 profile-id=0",
  "a=rtpmap:99 rtx/90000",
  "a=fmtp:99 apt=98",
  "a=rtpmap:96 VP8/90000",
  "a=rtpmap:97 rtx/90000",
  "a=fmtp:97 apt=96",
  "m=audio 9 UDP/TLS/RTP/SAVPF 111",
  "a=rtpmap:111 opus/48000/2",
  "a=fmtp:111 minptime=10",
  "",
].join("\r\n");

test("each video codec starts at the rate, whether it had parameters or not, and nothing else changes", () => {
  const lines = withStartBitrate(ANSWER, 2000).split("\r\n");
  expect(lines).toContain("a=fmtp:98 profile-id=0;x-google-start-bitrate=2000");
  expect(lines).toContain("a=fmtp:96 x-google-start-bitrate=2000");
  expect(lines.filter((line) => line.includes("x-google"))).toHaveLength(2);
  expect(lines.filter((line) => !line.includes("x-google"))).toEqual(
    ANSWER.split("\r\n").filter((line) => line !== "a=fmtp:98 profile-id=0"),
  );
});

test("VP9 comes before H.264 before VP8, and what mends losses keeps its place behind", () => {
  const codecs = ["video/VP8", "video/rtx", "video/H264", "video/VP9", "video/red"].map((mimeType) => ({ mimeType }));
  expect(byPreference(codecs).map(({ mimeType }) => mimeType)).toEqual([
    "video/VP9",
    "video/H264",
    "video/VP8",
    "video/rtx",
    "video/red",
  ]);
});

test("the end of candidates is an empty candidate", () => {
  expect(outgoingCandidate("dana", "c1", null)).toEqual({
    type: "candidate",
    to: "dana",
    connection: "c1",
    candidate: "",
    sdp_mid: null,
    sdp_m_line_index: null,
  });
});

test("a STUN server has no credentials", () => {
  expect(rtcIceServers([{ urls: ["stun:a"], username: null, credential: null }])).toEqual([{ urls: ["stun:a"] }]);
});

const given = new WeakMap<RTCRtpSender, MediaStreamTrack | null>();

/** Sends `track` from now on, or with null not one packet more: no negotiation, and the last word counts. */
export function feed(sender: RTCRtpSender, track: MediaStreamTrack | null): void {
  // `sender.track` is behind what was asked for while the connection is still being described.
  if ((given.get(sender) ?? null) === track) return;
  given.set(sender, track);
  // A connection that is closed sends nothing anyway.
  void sender.replaceTrack(track).catch(() => undefined);
}

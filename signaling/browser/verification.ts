// A phrase that is the same on both screens only when nobody stands between them: it is made of the two certificates
// that the peers proved to hold in the DTLS handshake (RFC 8827, section 5.6.4).

/** Four groups of three digits out of two SHA-256 certificate fingerprints, in whatever order. */
export async function phraseOf(one: string, other: string): Promise<string> {
  const bytes = new TextEncoder().encode([one.toUpperCase(), other.toUpperCase()].sort().join("\n"));
  const digest = new DataView(await crypto.subtle.digest("SHA-256", bytes));
  return [0, 4, 8, 12].map((at) => String(digest.getUint32(at) % 1000).padStart(3, "0")).join(" ");
}

/** The phrase of a connection that stands; null when its certificates can't be told for sure. */
export async function verificationPhrase(pc: RTCPeerConnection): Promise<string | null> {
  const prints = (await provenCertificates(pc)) ?? [
    fingerprint(pc.localDescription?.sdp ?? ""),
    fingerprint(pc.remoteDescription?.sdp ?? ""),
  ];
  const [local, remote] = prints;
  return local && remote ? phraseOf(local, remote) : null;
}

/**
 * The SHA-256 fingerprint in a session description. One that offers other digests as well may be proven by any of them,
 * so it says nothing about the certificate for which its SHA-256 stands: null.
 */
export function fingerprint(sdp: string): string | null {
  const found = new Set(
    [...sdp.matchAll(/^a=fingerprint:(\S+) (\S+)/gm)].map((line) => `${line[1]} ${line[2]}`.toUpperCase()),
  );
  const [only] = found;
  return found.size === 1 && only?.startsWith("SHA-256 ") ? only.slice("SHA-256 ".length) : null;
}

/** The fingerprints of the certificates that were used in the handshake, ours first, where the browser tells them. */
async function provenCertificates(pc: RTCPeerConnection): Promise<[string, string] | null> {
  const stats = await pc.getStats();
  const entries = new Map<string, Record<string, unknown>>();
  stats.forEach((entry: Record<string, unknown>) => void entries.set(String(entry.id), entry));
  const transport = [...entries.values()].find((entry) => entry.type === "transport");
  const print = (end: "local" | "remote") => {
    const certificate = entries.get(String(transport?.[`${end}CertificateId`]));
    return certificate?.fingerprintAlgorithm === "sha-256" ? String(certificate.fingerprint) : null;
  };
  const [local, remote] = [print("local"), print("remote")];
  return local && remote ? [local, remote] : null;
}

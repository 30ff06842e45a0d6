import type { Client } from "./http";

/** The client for the visitor's system; none for telephones and tablets. A Mac does not tell which kind it is. */
export function fitting(all: readonly Client[], userAgent: string): Client | undefined {
  if (/Android|iPhone|iPad|Mobile|CrOS/.test(userAgent)) return undefined;
  const arm = /aarch64|arm64/i.test(userAgent);
  const system = /Windows/.test(userAgent) ? "windows" : /Mac OS X/.test(userAgent) ? "macos" : "linux";
  const machines = system === "macos" ? ["arm64", "x86_64"] : [arm ? "arm64" : "x86_64"];
  const wanted = machines.map((machine) => `${system}-${machine}`);
  return wanted.map((name) => all.find((client) => client.system === name)).find((client) => client !== undefined);
}

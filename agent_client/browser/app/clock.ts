import { signal } from "@preact/signals";

const now = signal(Date.now());
window.setInterval(() => {
  now.value = Date.now();
}, 1_000);

/** This machine's time (ms since 1970), to the second; what reads it is drawn again each second. */
export const useClock = (): number => now.value;

import { useEffect, useRef } from "preact/hooks";

type Listener = (hint: string) => void;

const listeners = new Set<Listener>();
let source: EventSource | null = null;
let broken = false;

/** A hint says what changed, never how: `waiting`, `ticket:<id>`, `job:<id>`, `session:<id>`, `user:<id>`. */
function announce(hint: string): void {
  for (const listener of [...listeners]) listener(hint);
}

/** Opens the stream of hints; the browser reconnects it by itself. */
export function openFeed(): void {
  if (source !== null) return;
  source = new EventSource("/api/feed");
  source.addEventListener("message", (event: MessageEvent<string>) => announce(event.data));
  source.addEventListener("error", () => {
    broken = true;
  });
  source.addEventListener("open", () => {
    // Hints given while the stream was down are lost: everything shown may be stale.
    if (broken) announce("*");
    broken = false;
  });
}

export function closeFeed(): void {
  source?.close();
  source = null;
  broken = false;
}

/** Hears every hint, and `*` after a gap in the stream, until the returned function is used. */
export function listen(listener: Listener): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

/** `ticket:` covers every ticket, `ticket:7` just the one. */
const covers = (topic: string, hint: string): boolean =>
  topic.endsWith(":") ? hint.startsWith(topic) : hint === topic;

/** Runs `react` on each hint of `topics`, and after every gap in the stream. */
export function useHints(topics: readonly string[], react: () => void): void {
  const current = useRef({ topics, react });
  current.current = { topics, react };
  useEffect(() => {
    return listen((hint) => {
      const wanted = current.current;
      if (hint === "*" || wanted.topics.some((topic) => covers(topic, hint))) wanted.react();
    });
  }, []);
}

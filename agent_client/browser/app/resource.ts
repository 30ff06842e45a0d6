import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { useHints } from "./feed";

/** What a page loads. `data` outlives a failed reload, so that nothing jumps away under the reader's eyes. */
export interface Resource<T> {
  data: T | null;
  error: unknown;
  loading: boolean;
  reload: () => void;
}

/** Loads `load()` whenever `key` changes, and again on each hint of `topics`. */
export function useResource<T>(key: string, load: () => Promise<T>, topics: readonly string[] = []): Resource<T> {
  const [state, setState] = useState<{ key: string; data: T | null; error: unknown; loading: boolean }>({
    key,
    data: null,
    error: null,
    loading: true,
  });
  const latest = useRef({ load, turn: 0 });
  latest.current.load = load;
  const reload = useCallback(() => {
    latest.current.turn += 1;
    const turn = latest.current.turn;
    const current = (): boolean => latest.current.turn === turn;
    latest.current.load().then(
      (data) => current() && setState({ key, data, error: null, loading: false }),
      (error: unknown) =>
        current() &&
        setState((before) => ({ key, data: before.key === key ? before.data : null, error, loading: false })),
    );
  }, [key]);
  useEffect(() => {
    setState((before) => (before.key === key ? before : { key, data: null, error: null, loading: true }));
    reload();
    return () => {
      latest.current.turn += 1;
    };
  }, [key, reload]);
  useHints(topics, reload);
  const fresh = state.key === key;
  return {
    data: fresh ? state.data : null,
    error: fresh ? state.error : null,
    loading: fresh ? state.loading : true,
    reload,
  };
}

import { useEffect, useId, useRef, useState } from "preact/hooks";
import { Icon } from "../app/icon";

/** How long one has to stop typing before the search begins. */
const PAUSE_MS = 250;

interface SearchProps {
  label: string;
  value: string;
  onSearch: (query: string) => void;
}

/** A search field that searches while one types. */
export function Search({ label, value, onSearch }: SearchProps) {
  const [typed, setTyped] = useState(value);
  const timer = useRef(0);
  const id = useId();
  useEffect(() => setTyped(value), [value]);
  useEffect(() => () => window.clearTimeout(timer.current), []);
  const type = (next: string): void => {
    setTyped(next);
    window.clearTimeout(timer.current);
    timer.current = window.setTimeout(() => onSearch(next.trim()), PAUSE_MS);
  };
  return (
    <search class="library-search">
      <form
        class="search"
        onSubmit={(event) => {
          event.preventDefault();
          window.clearTimeout(timer.current);
          onSearch(typed.trim());
        }}
      >
        <label class="visually-hidden" for={id}>
          {label}
        </label>
        <Icon name="search" />
        <input
          id={id}
          type="search"
          placeholder={label}
          data-search
          value={typed}
          onInput={(event) => type(event.currentTarget.value)}
          autoComplete="off"
        />
      </form>
    </search>
  );
}

import { signal } from "@preact/signals";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { isLanguage, LANGUAGES } from "../../../signaling/browser/language";
import type { TicketList } from "../http";
import { may, signOut } from "./account";
import { get } from "./api";
import { APPEARANCES, setAppearance } from "./appearance";
import { Dialog } from "./dialog";
import { showKeys } from "./keys";
import { places } from "./navigation";
import { navigate } from "./router";
import { complain } from "./toasts";
import { setLanguage, t } from "./words";

interface Command {
  name: string;
  hint: string;
  run: () => void;
}

const open = signal(false);

export function openPalette(): void {
  open.value = true;
}

function commands(): Command[] {
  const go = t("palette.go");
  const set = t("palette.set");
  const languages = Object.entries(LANGUAGES).map(([tag, name]) => ({
    name: `${t("preferences.language")}: ${name}`,
    hint: set,
    run: () => isLanguage(tag) && setLanguage(tag),
  }));
  return [
    ...places().map((place) => ({ name: t(place.label), hint: go, run: () => navigate(place.to) })),
    { name: t("place.help_centre"), hint: go, run: () => window.open("/help", "_blank", "noreferrer") },
    ...(may("ticket.write")
      ? [{ name: t("tickets.new"), hint: t("palette.do"), run: () => navigate("/tickets?new=1") }]
      : []),
    { name: t("keys.show"), hint: t("palette.do"), run: showKeys },
    ...APPEARANCES.map((one) => ({
      name: `${t("preferences.appearance")}: ${t(`preferences.${one}`)}`,
      hint: set,
      run: () => setAppearance(one),
    })),
    ...languages,
    { name: t("sign_out"), hint: t("palette.do"), run: () => void signOut().catch(complain) },
  ];
}

const folded = (text: string): string => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

/** Whether every word of `wanted` stands somewhere in `text`. */
export function matches(text: string, wanted: string): boolean {
  const where = folded(text);
  return folded(wanted)
    .split(/\s+/)
    .every((word) => where.includes(word));
}

async function foundTickets(wanted: string): Promise<Command[]> {
  const list = await get<TicketList>(`/api/tickets?q=${encodeURIComponent(wanted)}`);
  return list.tickets.slice(0, 8).map((ticket) => ({
    name: `#${ticket.number} ${ticket.title}`,
    hint: ticket.customer_name,
    run: () => navigate(`/tickets/${ticket.id}`),
  }));
}

/** Ctrl-K: goes anywhere and does anything by its name; tickets are found by their words. */
export function Palette() {
  return open.value ? <Opened /> : null;
}

function Opened() {
  const [wanted, setWanted] = useState("");
  const [chosen, setChosen] = useState(0);
  const [tickets, setTickets] = useState<Command[]>([]);
  const input = useRef<HTMLInputElement>(null);
  const list = useId();
  const close = (): void => {
    open.value = false;
  };
  useEffect(() => input.current?.focus(), []);
  useEffect(() => {
    if (wanted.trim() === "") {
      setTickets([]);
      return undefined;
    }
    let current = true;
    foundTickets(wanted).then(
      (found) => current && setTickets(found),
      () => current && setTickets([]),
    );
    return () => {
      current = false;
    };
  }, [wanted]);
  const offered = [...commands().filter((command) => matches(command.name, wanted)), ...tickets];
  const at = Math.min(chosen, Math.max(0, offered.length - 1));
  const run = (command: Command | undefined): void => {
    if (command === undefined) return;
    close();
    command.run();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step !== 0) {
      event.preventDefault();
      const next = (at + step + offered.length) % Math.max(1, offered.length);
      setChosen(next);
      document.getElementById(`${list}-${next}`)?.scrollIntoView({ block: "nearest" });
    } else if (event.key === "Enter") {
      event.preventDefault();
      run(offered[at]);
    }
  };
  return (
    <Dialog title={t("palette.title")} onClose={close}>
      <div class="palette">
        <input
          ref={input}
          type="text"
          role="combobox"
          aria-expanded="true"
          aria-controls={list}
          aria-activedescendant={offered.length > 0 ? `${list}-${at}` : undefined}
          aria-label={t("palette.title")}
          placeholder={t("palette.placeholder")}
          value={wanted}
          onInput={(event) => {
            setWanted(event.currentTarget.value);
            setChosen(0);
          }}
          onKeyDown={onKeyDown}
        />
        <div id={list} role="listbox" aria-label={t("palette.title")}>
          {offered.map((command, index) => (
            // biome-ignore lint/a11y: the focus stays in the combobox above, which has the keys
            <div
              key={`${command.hint}/${command.name}`}
              id={`${list}-${index}`}
              role="option"
              aria-selected={index === at}
              onClick={() => run(command)}
            >
              <span>{command.name}</span>
              <span class="muted">{command.hint}</span>
            </div>
          ))}
        </div>
        <p role="status" class="muted">
          {offered.length === 0 && t("palette.nothing")}
        </p>
      </div>
    </Dialog>
  );
}

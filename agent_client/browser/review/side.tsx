import { signal } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { t, type Word } from "../app/words";
import { clockText, type Film } from "./film";
import { currentMoment, type Moment } from "./moments";
import type { Playback } from "./playback";

const TABS = ["timeline", "chat", "bookmarks"] as const;
type Tab = (typeof TABS)[number];

const BELONGS: Record<Tab, (moment: Moment) => boolean> = {
  timeline: () => true,
  chat: (moment) => moment.lane === "chat",
  bookmarks: (moment) => moment.lane === "bookmarks" || moment.key === "review.event.step_added",
};

interface SideProps {
  film: Film;
  moments: readonly Moment[];
  playback: Playback;
  say: (moment: Moment) => string;
}

/** Beside the video: the session in words, its chat, and its bookmarks; each line is a jump. */
export function Side({ film, moments, playback, say }: SideProps) {
  const tab = useMemo(() => signal<Tab>("timeline"), []);
  const tabs = useRef<HTMLDivElement>(null);
  const turn = (event: KeyboardEvent): void => {
    const direction = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (direction === undefined) return;
    event.preventDefault();
    tab.value = TABS[(TABS.indexOf(tab.value) + direction + TABS.length) % TABS.length] ?? "timeline";
    requestAnimationFrame(() => tabs.current?.querySelector<HTMLElement>("[aria-selected=true]")?.focus());
  };
  return (
    <aside class="player-side" aria-label={t("review.side")}>
      <div class="tabs" role="tablist" ref={tabs} onKeyDown={turn}>
        {TABS.map((name) => (
          <button
            key={name}
            type="button"
            role="tab"
            id={`tab-${name}`}
            aria-selected={tab.value === name}
            aria-controls="player-list"
            tabIndex={tab.value === name ? 0 : -1}
            onClick={() => (tab.value = name)}
          >
            {t(`review.tab.${name}` as Word)}
          </button>
        ))}
      </div>
      <List key={tab.value} tab={tab.value} film={film} moments={moments} playback={playback} say={say} />
    </aside>
  );
}

function List({ tab, film, moments, playback, say }: SideProps & { tab: Tab }) {
  const shown = useMemo(() => moments.filter(BELONGS[tab]), [moments, tab]);
  const list = useRef<HTMLOListElement>(null);
  const current = currentMoment(shown, playback.now.value);
  useEffect(() => {
    const box = list.current;
    const row = box?.querySelector<HTMLElement>("[aria-current]");
    // Whoever reads or scrolls in the list is not to be pulled away from where he is.
    if (!box || !row || box.matches(":hover") || box.contains(document.activeElement)) return;
    box.scrollTo({ top: row.offsetTop - box.clientHeight / 2, behavior: "smooth" });
  }, [current]);
  return (
    <div class="player-list" id="player-list" role="tabpanel" aria-labelledby={`tab-${tab}`}>
      {shown.length === 0 && <p class="player-nothing muted">{t(`review.none.${tab}` as Word)}</p>}
      <ol class="rows" ref={list}>
        {shown.map((moment, index) => (
          <li key={moment.seq}>
            <button
              type="button"
              class={`item moment ${moment.lane}`}
              data-seq={moment.seq}
              aria-current={index === current ? "true" : undefined}
              onClick={() => playback.seek(moment.at)}
            >
              <span class="moment-time number">{clockText(moment.at - film.start)}</span>
              <span class="moment-dot" aria-hidden="true" />
              <span class="moment-words">
                <span>{say(moment)}</span>
                {moment.text !== null && moment.lane === "chat" && <q class="moment-text">{moment.text}</q>}
              </span>
            </button>
          </li>
        ))}
      </ol>
    </div>
  );
}

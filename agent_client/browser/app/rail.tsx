import { computed, effect, signal } from "@preact/signals";
import { useRef, useState } from "preact/hooks";
import { signOut, whoAmI } from "./account";
import { useClock } from "./clock";
import { useFold } from "./fold";
import { Icon } from "./icon";
import { showKeys } from "./keys";
import { home, places } from "./navigation";
import { openPalette } from "./palette";
import { Preferences } from "./preferences";
import { Link, type PageName, route } from "./router";
import { complain } from "./toasts";
import { waiting } from "./waiting";
import { clock, t } from "./words";

const STORED = "sightline.rail";

function stored(): boolean {
  try {
    return localStorage.getItem(STORED) === "narrow";
  } catch {
    return false;
  }
}

const chosen = signal(stored());
/** The live view takes all there is, so there the menu is wide only for as long as it is wanted. */
const widened = signal(false);
const narrow = computed(() => (route.value.page === "session" ? !widened.value : chosen.value));

effect(() => {
  if (route.value.page !== "session") widened.value = false;
});

export function toggleRail(): void {
  if (route.value.page === "session") {
    widened.value = !widened.value;
    return;
  }
  chosen.value = !chosen.value;
  try {
    localStorage.setItem(STORED, chosen.value ? "narrow" : "wide");
  } catch {
    // Storage may be blocked; the rail is then wide again on the next visit.
  }
}

/** How many wait, and how long the first of them has. */
function WaitingMark() {
  const now = useClock();
  const list = waiting.value;
  const first = list?.waiting[0];
  if (list === null || first === undefined) return null;
  const since = now + list.offset - first.since;
  return (
    <span class="badge accent waiting-mark">
      <strong>{list.waiting.length}</strong>
      <span class="side-text">
        <span class="visually-hidden">{t("rail.longest")}</span> {clock(since)}
      </span>
    </span>
  );
}

function Me() {
  const me = whoAmI();
  const [open, setOpen] = useState(false);
  const place = useRef<HTMLDetailsElement>(null);
  useFold(place, open, () => setOpen(false));
  return (
    <details class="me" ref={place} open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary class="item">
        <span class="avatar" aria-hidden="true">
          {(me?.name ?? "?").slice(0, 1)}
        </span>
        <span class="side-text clip">{me?.name}</span>
      </summary>
      <div class="me-menu card stack tight">
        <p class="small muted">{me?.email}</p>
        <Preferences />
        <button type="button" class="button quiet" onClick={() => showKeys()}>
          {t("keys.show")}
        </button>
        <button type="button" class="button quiet" onClick={() => void signOut().catch(complain)}>
          {t("sign_out")}
        </button>
      </div>
    </details>
  );
}

export function Rail() {
  const here = route.value.page;
  const isHere = (page: PageName, holds: readonly PageName[]): boolean =>
    page === here || holds.some((held) => held === here);
  const tooltip = (text: string): string | undefined => (narrow.value ? text : undefined);
  return (
    <nav class={narrow.value ? "side narrow" : "side"} aria-label={t("rail.label")}>
      <div class="side-head">
        <Link to={home()} class="brand side-text">
          <span class="brand-mark" aria-hidden="true" />
          <span class="clip">{whoAmI()?.organization ?? "Sightline"}</span>
        </Link>
        <button
          type="button"
          class="button quiet icon"
          aria-label={narrow.value ? t("rail.widen") : t("rail.narrow")}
          aria-expanded={!narrow.value}
          onClick={toggleRail}
        >
          <Icon name="menu" />
        </button>
      </div>
      <div class="rail">
        <button type="button" class="side-search" title={tooltip(t("rail.search"))} onClick={openPalette}>
          <Icon name="search" />
          <span class="side-text grow">{t("rail.search")}</span>
          <kbd class="side-text">Ctrl K</kbd>
        </button>
        {places().map((place) => (
          <Link
            key={place.page}
            to={place.to}
            title={tooltip(t(place.label))}
            aria-current={isHere(place.page, place.holds) ? "page" : undefined}
          >
            <Icon name={place.icon} />
            <span class="side-text grow">{t(place.label)}</span>
            {place.page === "waiting" && <WaitingMark />}
          </Link>
        ))}
        <a href="/help" target="_blank" rel="noreferrer" title={tooltip(t("place.help_centre"))}>
          <Icon name="help" />
          <span class="side-text grow">{t("place.help_centre")}</span>
        </a>
      </div>
      <Me />
    </nav>
  );
}

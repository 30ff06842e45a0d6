import { useEffect, useRef } from "preact/hooks";
import { account, may, recognize, whoAmI } from "./account";
import { type Key, KeysHelp, showKeys, useKeys } from "./keys";
import { home, places } from "./navigation";
import { LoadedPage } from "./pages";
import { openPalette, Palette } from "./palette";
import { Rail, toggleRail } from "./rail";
import { Link, navigate, route } from "./router";
import { Setup, SignIn } from "./sign_in";
import { Empty, Failure, Skeleton } from "./states";
import { Toasts } from "./toasts";
import { waiting } from "./waiting";
import { t } from "./words";

function focusSearch(): void {
  const search = document.querySelector<HTMLInputElement>("input[type=search]");
  if (search === null) openPalette();
  else search.focus();
}

function keysOfTheShell(): Key[] {
  return [
    ...places().map((place) => ({
      keys: `g ${place.letter}`,
      label: place.label,
      run: () => navigate(place.to),
    })),
    { keys: "/", label: "keys.search", run: focusSearch },
    { keys: "ctrl+k", label: "keys.palette", run: openPalette, always: true },
    { keys: "[", label: "keys.rail", run: toggleRail },
    { keys: "?", label: "keys.show", run: showKeys },
  ];
}

/** The place that a page belongs to gives its name to the window, with how many wait. */
function useTitle(page: string): void {
  const place = places().find((one) => one.page === page || one.holds.some((held) => held === page));
  const count = waiting.value?.waiting.length ?? 0;
  const name = place === undefined ? t("unknown.title") : t(place.label);
  const title = `${count > 0 ? `(${count}) ` : ""}${name} · ${whoAmI()?.organization ?? ""}`;
  useEffect(() => {
    document.title = title;
  }, [title]);
}

/** After going elsewhere, reading and tabbing begin with the page, not with the menu. */
function useFocusOnPage(at: string): void {
  const before = useRef(at);
  useEffect(() => {
    if (before.current === at) return;
    before.current = at;
    const inside = document.activeElement?.closest("main, dialog") ?? null;
    if (inside === null) document.getElementById("page")?.focus({ preventScroll: true });
  }, [at]);
}

function Workplace() {
  useKeys(keysOfTheShell());
  const { page, params } = route.value;
  const at = page + JSON.stringify(params);
  useTitle(page);
  useFocusOnPage(at);
  // Who may not see the waiting list begins elsewhere.
  const astray = page === "waiting" && !may("waiting.read");
  useEffect(() => {
    if (astray) navigate(home(), true);
  }, [astray]);
  const full = page === "session" || page === "recording";
  return (
    <div class="workplace">
      <a class="skip" href="#page">
        {t("skip")}
      </a>
      <Rail />
      <main id="page" class={full ? "full" : undefined} tabIndex={-1}>
        {page === "unknown" ? (
          <Empty title={t("unknown.title")}>
            <p>{t("unknown.text")}</p>
            <Link to={home()} class="button primary">
              {t("unknown.back")}
            </Link>
          </Empty>
        ) : (
          <LoadedPage key={at} name={page} params={params} />
        )}
      </main>
      <Palette />
      <KeysHelp />
    </div>
  );
}

function Entrance() {
  const here = account.value;
  switch (here.state) {
    case "unknown":
      return (
        <main class="door">
          <Skeleton />
        </main>
      );
    case "unreachable":
      return (
        <main class="door">
          <Failure error={here.error} retry={() => void recognize()} />
        </main>
      );
    case "setup":
      return <Setup />;
    case "signed_out":
      return <SignIn expired={here.expired} />;
    case "signed_in":
      return <Workplace />;
  }
}

export function Shell() {
  useEffect(() => void recognize(), []);
  return (
    <>
      <Entrance />
      <Toasts />
    </>
  );
}

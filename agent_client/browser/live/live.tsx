import { useEffect, useRef, useState } from "preact/hooks";
import { whoAmI } from "../app/account";
import { at, get, post } from "../app/api";
import { useHints } from "../app/feed";
import { useKeys } from "../app/keys";
import { home } from "../app/navigation";
import { Link, type PageProps } from "../app/router";
import { Empty, Failure, Skeleton } from "../app/states";
import { t } from "../app/words";
import { remember } from "../console/invitation";
import type { Participation, SessionSummary } from "../http";
import { Banners } from "./banners";
import { BookmarkDialog } from "./bookmark";
import { ControlPad } from "./controlling";
import { Ended } from "./ended";
import { Hand } from "./hand";
import { LiveSession } from "./live_session";
import { Panel, PanelSwitch } from "./panel";
import { ToolBar } from "./tool_bar";
import { TopBar } from "./top_bar";
import { awaited, WaitingState } from "./waiting_state";
import "./live.css";
import "../console/console.css";

const STORED = "sightline.participation.";

/** A page that is loaded again goes on as the same participant. */
function storedPlace(session: string): Participation | null {
  try {
    return JSON.parse(sessionStorage.getItem(STORED + session) ?? "null") as Participation | null;
  } catch {
    return null;
  }
}

function storePlace(session: string, place: Participation | null): void {
  try {
    if (place === null) sessionStorage.removeItem(STORED + session);
    else sessionStorage.setItem(STORED + session, JSON.stringify(place));
  } catch {
    // Without storage each load comes in as a new participant; the one before leaves after its grace.
  }
}

type Entry =
  | { state: "entering" }
  | { state: "failed"; error: unknown }
  | { state: "not_yours" | "ended"; summary: SessionSummary }
  | { state: "in"; live: LiveSession };

async function enter(session: string): Promise<Entry> {
  const summary = await get<SessionSummary>(at`/api/sessions/${session}`);
  if (summary.phase === "ended") return { state: "ended", summary };
  if (!summary.may_join) {
    storePlace(session, null);
    return { state: "not_yours", summary };
  }
  const place = storedPlace(session) ?? (await post<Participation>(at`/api/sessions/${session}/participants`));
  storePlace(session, place);
  return { state: "in", live: new LiveSession(summary, place) };
}

export function LivePage({ params }: PageProps) {
  const session = params.id ?? "";
  const [entry, setEntry] = useState<Entry>({ state: "entering" });
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    let entered: Entry | null = null;
    let gone = false;
    setEntry({ state: "entering" });
    enter(session).then(
      (found) => {
        entered = found;
        if (!gone) setEntry(found);
        else if (found.state === "in") found.live.close();
      },
      (error: unknown) => !gone && setEntry({ state: "failed", error }),
    );
    return () => {
      gone = true;
      if (entered?.state === "in") entered.live.close();
    };
    // `turn` is what coming in once more changes.
  }, [session, turn]);
  const again = (): void => {
    storePlace(session, null);
    setTurn(turn + 1);
  };
  switch (entry.state) {
    case "entering":
      return (
        <div class="page">
          <Skeleton lines={6} />
        </div>
      );
    case "failed":
      return <Failure error={entry.error} retry={again} />;
    case "not_yours":
      return <NotYours summary={entry.summary} again={again} />;
    case "ended": {
      const { ticket, customer_name, created_at, ended_at } = entry.summary;
      const durationMs = (ended_at ?? created_at) - created_at;
      return <Ended session={session} ticket={ticket} customer={customer_name} durationMs={durationMs} />;
    }
    case "in":
      return <Inside live={entry.live} again={again} />;
  }
}

function NotYours({ summary, again }: { summary: SessionSummary; again: () => void }) {
  useHints([`user:${whoAmI()?.id}`], again);
  return (
    <Empty title={t("live.not_yours")}>
      <p>{t("live.not_yours_text", { name: summary.owner_name ?? t("ticket.nobody") })}</p>
      {summary.ticket !== null && (
        <Link to={`/tickets/${summary.ticket}`} class="button primary">
          {t("live.to_ticket")}
        </Link>
      )}
    </Empty>
  );
}

function Inside({ live, again }: { live: LiveSession; again: () => void }) {
  const closed = live.closed.value;
  const { openedAt, endedAt } = live.session.value;
  if (live.ended.value) {
    const name = live.summary.customer_name;
    const durationMs = (endedAt ?? 0) - (openedAt ?? 0);
    return <Ended session={live.id} ticket={live.summary.ticket} customer={name} durationMs={durationMs} />;
  }
  if (closed !== null) {
    if (closed === "removed") {
      return (
        <Empty title={t("live.removed")}>
          <p>{t("live.removed_text", { name: live.summary.owner_name ?? t("ticket.nobody") })}</p>
          <Link to={home()} class="button primary">
            {t("live.to_start")}
          </Link>
        </Empty>
      );
    }
    const replaced = closed === "replaced";
    return (
      <Empty title={replaced ? t("live.replaced") : t("live.closed")}>
        <p>{replaced ? t("live.replaced_text") : t("live.closed_text")}</p>
        <button type="button" class="button primary" onClick={again}>
          {replaced ? t("live.take_back") : t("live.reopen")}
        </button>
      </Empty>
    );
  }
  if (!live.known.value) {
    return (
      <div class="page">
        <Skeleton lines={6} />
      </div>
    );
  }
  return <View live={live} />;
}

function View({ live }: { live: LiveSession }) {
  const frame = useRef<HTMLDivElement>(null);
  const [hand, setHand] = useState<Hand | null>(null);
  useEffect(() => {
    if (frame.current === null) return undefined;
    const made = new Hand(frame.current, live);
    setHand(made);
    return () => {
      setHand(null);
      made.close();
    };
  }, [live]);
  useKeys(hand?.keys() ?? [], [hand]);
  const customer = live.customer.value?.id;
  useEffect(() => {
    // An invitation lets in once; what is shown of it after that would only mislead.
    if (customer !== undefined) remember(live.id, "used");
  }, [live, customer]);
  return (
    <div class="live-view">
      <TopBar live={live} />
      <div class="live-body">
        <div class="stage-area">
          <Banners live={live} />
          <div class="stage">
            <section class="stage-frame" ref={frame} aria-label={t("stage.label")} />
            {hand !== null && <ControlPad hand={hand} />}
            <WaitingState live={live} />
          </div>
          {hand !== null && live.seen.value && awaited(live) === null && <ToolBar hand={hand} />}
        </div>
        <Panel live={live} />
        <PanelSwitch live={live} />
      </div>
      {hand && hand.bookmarking.value !== null && <BookmarkDialog hand={hand} at={hand.bookmarking.value} />}
    </div>
  );
}

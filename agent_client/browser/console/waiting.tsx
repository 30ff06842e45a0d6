import { useState } from "preact/hooks";
import { may } from "../app/account";
import { at, post } from "../app/api";
import { useClock } from "../app/clock";
import { CopyButton } from "../app/copy";
import { type Key, useKeys } from "../app/keys";
import { navigate } from "../app/router";
import { Empty, Failure, Skeleton } from "../app/states";
import { complain } from "../app/toasts";
import { reloadWaiting, waiting, waitingError } from "../app/waiting";
import { clock, t } from "../app/words";
import type { Accepted, WaitingCustomer } from "../http";
import { InvitedSessions } from "./invited";
import "./console.css";

function NobodyWaits() {
  const help = `${window.location.origin}/get-help`;
  return (
    <Empty title={t("waiting.empty")}>
      <p>{t("waiting.empty_text")}</p>
      <p class="row nowrap">
        <a href={help} target="_blank" rel="noreferrer" class="clip">
          {help}
        </a>
        <CopyButton text={help} />
      </p>
    </Empty>
  );
}

interface RowProps {
  customer: WaitingCustomer;
  waited: number;
  first: boolean;
  busy: boolean;
  accept: () => void;
}

function Row({ customer, waited, first, busy, accept }: RowProps) {
  return (
    <li class="card waiting-row">
      <div class="grow">
        <h2 lang={customer.language}>{customer.name}</h2>
        <p lang={customer.language} class="problem">
          {customer.problem}
        </p>
      </div>
      <p class="waited">
        <span class="muted small">{t("waiting.waits")}</span>
        <span class="number">{clock(waited)}</span>
      </p>
      <button
        type="button"
        class={first ? "button primary" : "button"}
        aria-busy={busy}
        disabled={!may("waiting.accept")}
        onClick={accept}
      >
        {t("waiting.accept")}
        <span class="visually-hidden">: {customer.name}</span>
      </button>
    </li>
  );
}

/** Who came unasked and waits, the longest wait first. */
export function WaitingPage() {
  const now = useClock();
  const [accepting, setAccepting] = useState<string | null>(null);
  const list = waiting.value;
  const accept = async (session: string): Promise<void> => {
    if (accepting !== null) return;
    setAccepting(session);
    try {
      const accepted = await post<Accepted>(at`/api/waiting/${session}/accept`);
      navigate(`/sessions/${accepted.session}`);
    } catch (error) {
      complain(error);
      void reloadWaiting();
      setAccepting(null);
    }
  };
  const first = list?.waiting[0]?.session;
  const keys: Key[] =
    first === undefined ? [] : [{ keys: "Enter", label: "waiting.accept_first", run: () => void accept(first) }];
  useKeys(keys, [first, accepting]);
  const count = list?.waiting.length ?? 0;
  return (
    <div class="page stack loose">
      <header class="spread">
        <h1>{t("place.waiting")}</h1>
        <p role="status" class="muted">
          {list !== null && count > 0 && t("waiting.count", { count })}
        </p>
      </header>
      <InvitedSessions />
      {list === null && waitingError.value !== null && (
        <Failure error={waitingError.value} retry={() => void reloadWaiting()} />
      )}
      {list === null && waitingError.value === null && <Skeleton />}
      {list !== null && count === 0 && <NobodyWaits />}
      {list !== null && count > 0 && (
        <ul class="rows stack">
          {list.waiting.map((customer, index) => (
            <Row
              key={customer.session}
              customer={customer}
              waited={now + list.offset - customer.since}
              first={index === 0}
              busy={accepting === customer.session}
              accept={() => void accept(customer.session)}
            />
          ))}
        </ul>
      )}
    </div>
  );
}

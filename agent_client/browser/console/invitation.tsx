import { signal } from "@preact/signals";
import { useState } from "preact/hooks";
import { at, post, remove } from "../app/api";
import { useClock } from "../app/clock";
import { CopyButton } from "../app/copy";
import { complain, tell } from "../app/toasts";
import { clock, duration, t } from "../app/words";
import type { Invitation } from "../http";

/** Links and codes are shown once by the server; they are kept here until the page is closed. */
const known = signal<Readonly<Record<string, Invitation | "used">>>({});

const HOUR_MS = 3_600_000;

export function remember(session: string, invitation: Invitation | "used" | null): void {
  const { [session]: _, ...others } = known.value;
  known.value = invitation === null ? others : { ...others, [session]: invitation };
}

/** A day's invitation is good for 24 hours, not for 23 from its first second on. */
const rounded = (ms: number): number => (ms > HOUR_MS ? Math.round(ms / HOUR_MS) * HOUR_MS : ms);

function Expiry({ invitation }: { invitation: Invitation }) {
  const now = useClock();
  const codeLeft = invitation.code_expires_at - now;
  const linkLeft = invitation.expires_at - now;
  return (
    <p class="small muted">
      {codeLeft > 0 ? t("invitation.code_left", { time: clock(codeLeft) }) : t("invitation.code_gone")}{" "}
      {linkLeft > 0 ? t("invitation.link_left", { duration: duration(rounded(linkLeft)) }) : t("invitation.link_gone")}
    </p>
  );
}

/**
 * A session's invitation: the link, the code to be said, the QR code; and a way to take it back or make another.
 * `aside` is for where something else is the first thing to do.
 */
export function InvitationCard({ session, aside = false }: { session: string; aside?: boolean }) {
  const [busy, setBusy] = useState(false);
  const invitation = known.value[session];
  const work = async (task: () => Promise<void>): Promise<void> => {
    if (busy) return;
    setBusy(true);
    try {
      await task();
    } catch (error) {
      complain(error);
    } finally {
      setBusy(false);
    }
  };
  const renew = (): Promise<void> =>
    work(async () => remember(session, await post<Invitation>(at`/api/sessions/${session}/invitations`)));
  const revoke = (): Promise<void> =>
    work(async () => {
      await remove(at`/api/sessions/${session}/invitations`);
      remember(session, null);
      tell(t("invitation.revoked"));
    });
  if (invitation === undefined || invitation === "used") {
    return (
      <div class="stack">
        <p>{t(invitation === "used" ? "invitation.used" : "invitation.not_known")}</p>
        <p>
          <button type="button" class="button primary" aria-busy={busy} onClick={() => void renew()}>
            {t("invitation.make")}
          </button>
        </p>
      </div>
    );
  }
  return (
    <div class="invitation stack">
      <div class="row nowrap">
        <input
          readOnly
          aria-label={t("invitation.link")}
          value={invitation.link}
          onFocus={(event) => event.currentTarget.select()}
        />
        <CopyButton primary={!aside} text={invitation.link} label={t("invitation.copy_link")} />
      </div>
      <div class="invitation-ways">
        <div class="stack tight">
          <span class="small muted">{t("invitation.code")}</span>
          <span class="code">{invitation.code}</span>
          <span class="small muted">{t("invitation.code_where", { address: `${window.location.host}/join` })}</span>
          <CopyButton text={invitation.code} label={t("invitation.copy_code")} />
        </div>
        <img class="qr" src={invitation.qr_svg} alt={t("invitation.qr")} width={160} height={160} />
      </div>
      <Expiry invitation={invitation} />
      <p class="row">
        <button type="button" class="button quiet small" aria-busy={busy} onClick={() => void renew()}>
          {t("invitation.another")}
        </button>
        <button type="button" class="button quiet danger small" onClick={() => void revoke()}>
          {t("invitation.revoke")}
        </button>
      </p>
    </div>
  );
}

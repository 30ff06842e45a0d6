import { mustHold } from "../../../signaling/browser/session";
import { Icon } from "../app/icon";
import { t } from "../app/words";
import { ControlBanner } from "./controlling";
import type { LiveSession } from "./live_session";

/** What is out of the ordinary at the moment, in words; nothing when all is well. */
export function Banners({ live }: { live: LiveSession }) {
  const session = live.session.value;
  const { phase, shown } = session;
  const customer = live.customer.value;
  const name = customer?.name || live.summary.customer_name || t("live.customer");
  const offline = live.link.value === "offline";
  const { trouble, blocked } = live.voice;
  const away = !offline && customer !== null && live.isAway(customer.id);
  return (
    <div class="banners" role="status">
      {offline && (
        <p class="banner warning">
          <span class="spinner" aria-hidden="true" />
          {live.track.value === null || live.tiles.value !== null ? t("live.offline_no_picture") : t("live.offline")}
        </p>
      )}
      {away && (
        <p class="banner warning">
          <Icon name="warning" />
          {t("live.customer_away", { name })}
        </p>
      )}
      {live.tiles.value !== null && !offline && !away && phase === "sharing" && (
        <p class="banner warning">
          <Icon name="warning" />
          {t(session.recording === "on" ? "live.snapshots_unrecorded" : "live.snapshots")}
        </p>
      )}
      {phase === "paused" && (
        <p class="banner warning">
          <Icon name="pause" />
          {mustHold(session) ? t("live.held") : t("live.paused", { name })}
        </p>
      )}
      <ControlBanner live={live} />
      {trouble.value !== null && (
        <p class="banner warning">
          <Icon name="warning" />
          <span class="grow">{t(`talk.trouble.${trouble.value}`)}</span>
          <button type="button" class="button small" onClick={() => live.voice.forgive()}>
            {t("action.dismiss")}
          </button>
        </p>
      )}
      {blocked.value && (
        <p class="banner warning">
          <Icon name="warning" />
          <span class="grow">{t("talk.blocked", { name })}</span>
          <button type="button" class="button small" onClick={() => live.voice.unblock()}>
            {t("talk.unblock")}
          </button>
        </p>
      )}
      {shown !== null && !live.pictures.value && (
        <p class="banner">
          <Icon name="freeze" />
          {t("live.frozen")}
        </p>
      )}
    </div>
  );
}

import { Icon } from "../app/icon";
import { t } from "../app/words";
import type { LiveSession } from "./live_session";

/** What is out of the ordinary at the moment, in words; nothing when all is well. */
export function Banners({ live }: { live: LiveSession }) {
  const { phase, shown } = live.session.value;
  const customer = live.customer.value;
  const name = customer?.name || live.summary.customer_name || t("live.customer");
  const offline = live.link.value === "offline";
  const away = !offline && customer !== null && live.isAway(customer.id);
  return (
    <div class="banners" role="status">
      {offline && (
        <p class="banner warning">
          <span class="spinner" aria-hidden="true" />
          {live.track.value === null ? t("live.offline_no_picture") : t("live.offline")}
        </p>
      )}
      {away && (
        <p class="banner warning">
          <Icon name="warning" />
          {t("live.customer_away", { name })}
        </p>
      )}
      {phase === "paused" && (
        <p class="banner warning">
          <Icon name="pause" />
          {t("live.paused", { name })}
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

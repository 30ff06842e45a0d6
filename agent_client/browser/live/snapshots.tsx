import { Icon } from "../app/icon";
import { hour, t } from "../app/words";
import type { LiveSession } from "./live_session";

/** The gallery: what was kept, each to be looked at by all, or opened in full. */
export function Snapshots({ live }: { live: LiveSession }) {
  const { snapshots, shown } = live.session.value;
  return (
    <div class="panel-scroll stack">
      {snapshots.length === 0 && (
        <p class="muted">{t(live.pictures.value ? "snapshots.awaited" : "snapshots.empty")}</p>
      )}
      <ul class="stack tight plain">
        {snapshots.toReversed().map((snapshot) => {
          const number = snapshots.indexOf(snapshot) + 1;
          const { id, width, height } = snapshot.surface;
          const here = shown === id;
          return (
            <li key={id} class={here ? "snapshot here" : "snapshot"}>
              <a href={live.snapshotUrl(id)} target="_blank" rel="noreferrer">
                <img
                  src={live.snapshotUrl(id)}
                  width={width}
                  height={height}
                  loading="lazy"
                  alt={t("snapshots.alt", { number })}
                />
              </a>
              <p class="spread">
                <span class="small muted number">
                  {hour(snapshot.at)} · {width}×{height}
                </span>
                {live.seen.value && !(here && live.pictures.value) && (
                  <button
                    type="button"
                    class="button small"
                    aria-pressed={here}
                    onClick={() => void live.show(here ? null : id)}
                  >
                    <Icon name={here ? "play" : "eye"} />
                    {here ? t("snapshots.back") : t("snapshots.show")}
                  </button>
                )}
              </p>
            </li>
          );
        })}
      </ul>
    </div>
  );
}

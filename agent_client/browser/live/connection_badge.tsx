import { useRef, useState } from "preact/hooks";
import { useFold } from "../app/fold";
import { t, type Word } from "../app/words";
import type { LiveSession } from "./live_session";

type Grade = "none" | "good" | "fair" | "poor";

/** ITU-T G.1010 and common sense: below these one notices nothing, above them one does. */
function grade(live: LiveSession): Grade {
  if (live.way.value === "snapshots") return "poor";
  if (live.track.value === null) return "none";
  if (live.peer.value !== "connected") return "poor";
  const quality = live.quality.value;
  if (quality === null) return "good";
  const { roundTripMs, lossPercent } = quality;
  if ((roundTripMs ?? 0) > 400 || (lossPercent ?? 0) > 8) return "poor";
  return (roundTripMs ?? 0) > 200 || (lossPercent ?? 0) > 2 ? "fair" : "good";
}

const BARS: Readonly<Record<Grade, number>> = { none: 0, poor: 1, fair: 2, good: 3 };
const WORDS: Readonly<Record<Grade, Word>> = {
  none: "quality.none",
  poor: "quality.poor",
  fair: "quality.fair",
  good: "quality.good",
};

/** How the picture comes, in one word; opens to the figures and to the verification phrase. */
export function ConnectionBadge({ live }: { live: LiveSession }) {
  const [open, setOpen] = useState(false);
  const place = useRef<HTMLDivElement>(null);
  useFold(place, open, () => setOpen(false));
  const now = grade(live);
  const way = live.way.value;
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: Escape closes what the button in here opened
    <div
      class="connection"
      ref={place}
      onKeyDown={(event) => {
        if (event.key === "Escape") setOpen(false);
      }}
    >
      <button
        type="button"
        class={`badge connection-badge ${now === "poor" ? "danger" : ""}`}
        aria-expanded={open}
        onClick={() => setOpen(!open)}
      >
        <span class="bars" aria-hidden="true">
          {[1, 2, 3].map((bar) => (
            <span key={bar} class={bar <= BARS[now] ? "bar full" : "bar"} />
          ))}
        </span>
        <span class="visually-hidden">{t("quality.label")}</span>
        {t(WORDS[now])}
        {way !== null && <span class="wide-only">{`· ${t(`quality.way.${way}`)}`}</span>}
      </button>
      {open && <Figures live={live} />}
    </div>
  );
}

function Figures({ live }: { live: LiveSession }) {
  const quality = live.quality.value;
  // What comes as snapshots goes by way of the server, whatever connection stood before, and is measured by nobody.
  const phrase = live.tiles.value === null ? live.verification.value : null;
  const figure = (value: number | null | undefined, unit: string): string =>
    value === null || value === undefined ? "–" : `${value} ${unit}`;
  const size =
    quality?.width === null || quality === null ? "–" : `${quality.width}×${quality.height} ${quality.codec ?? ""}`;
  const path = live.way.value;
  return (
    <div class="connection-figures card stack tight">
      <p>{t(path === null ? "quality.path_none" : `quality.path_${path}`)}</p>
      {live.tiles.value === null && (
        <dl class="figures">
          <dt>{t("quality.round_trip")}</dt>
          <dd>{figure(quality?.roundTripMs, t("unit.ms"))}</dd>
          <dt>{t("quality.loss")}</dt>
          <dd>{figure(quality?.lossPercent, "%")}</dd>
          <dt>{t("quality.frames")}</dt>
          <dd>{figure(quality?.framesPerSecond, t("unit.fps"))}</dd>
          <dt>{t("quality.size")}</dt>
          <dd>{size}</dd>
          <dt>{t("quality.bits")}</dt>
          <dd>{figure(quality?.kilobitsPerSecond, t("unit.kbps"))}</dd>
        </dl>
      )}
      {path === "recorder" && <p class="small muted">{t("quality.verification_none")}</p>}
      {phrase !== null && (
        <div>
          <p class="small muted">{t("quality.verification")}</p>
          <p class="verification">{phrase}</p>
          <p class="small muted">{t("quality.verification_hint")}</p>
        </div>
      )}
    </div>
  );
}

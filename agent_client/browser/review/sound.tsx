import { useMemo } from "preact/hooks";
import { t } from "../app/words";
import type { RecordingPage } from "../http";
import type { Film } from "./film";
import { Icon } from "./icons";
import type { Voices } from "./voices";

/** Ids of those who can be heard: in a file of their own, or, when they agreed to talk, in that of their picture. */
function speakersOf(page: RecordingPage, film: Film): readonly string[] {
  const agreed = page.events.flatMap(({ body, actor }) =>
    body.type === "consent_given" && body.scope === "voice" ? [actor] : [],
  );
  const shown = new Set(film.stretches.map(({ segment }) => segment?.participant));
  return [...new Set([...agreed.filter((one) => shown.has(one)), ...film.voices.map((voice) => voice.participant)])];
}

/** One button for each voice, that makes it silent or heard. */
export function Sound({ page, film, voices }: { page: RecordingPage; film: Film; voices: Voices }) {
  const speakers = useMemo(() => speakersOf(page, film), [page.events, film]);
  if (speakers.length === 0) return null;
  const name = (id: string): string =>
    page.participants.find((one) => one.id === id)?.name || page.customer_name || t("live.customer");
  return (
    <fieldset class="player-sound row tight">
      <legend class="visually-hidden">{t("review.voices")}</legend>
      {speakers.map((id) => {
        const heard = !voices.muted.value.has(id);
        const label = t(heard ? "review.mute" : "review.unmute", { name: name(id) });
        return (
          <button
            key={id}
            type="button"
            class="button quiet"
            aria-pressed={heard}
            aria-label={label}
            title={label}
            onClick={() => voices.toggle(id)}
          >
            <Icon sign={heard ? "sound" : "silence"} />
            <span>{name(id)}</span>
          </button>
        );
      })}
    </fieldset>
  );
}

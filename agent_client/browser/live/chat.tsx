import { useEffect, useRef } from "preact/hooks";
import { hour, t } from "../app/words";
import { Composer } from "./composer";
import type { LiveSession } from "./live_session";

export function Chat({ live }: { live: LiveSession }) {
  const { chat } = live.session.value;
  const end = useRef<HTMLOListElement>(null);
  const count = chat.length;
  useEffect(() => {
    live.read(count);
    end.current?.lastElementChild?.scrollIntoView({ block: "nearest" });
  }, [live, count]);
  return (
    <>
      <div class="panel-scroll">
        {count === 0 && <p class="muted">{t("chat.empty")}</p>}
        <ol ref={end} class="lines" aria-live="polite">
          {chat.map((line) => {
            const mine = line.author === live.me.value;
            return (
              <li key={line.seq} class={mine ? "line mine" : "line"}>
                <p class="small muted">
                  {mine ? t("chat.me") : live.nameOf(line.author)} · {hour(line.at)}
                </p>
                <p class="bubble said">{line.text}</p>
              </li>
            );
          })}
        </ol>
      </div>
      <Composer
        label={t("chat.write")}
        submit={t("chat.send")}
        send={(text) => live.command({ type: "say", text })}
        disabled={live.ended.value}
      />
    </>
  );
}

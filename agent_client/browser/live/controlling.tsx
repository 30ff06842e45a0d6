import { useEffect, useRef, useState } from "preact/hooks";
import { controlledBy, mayBeControlled } from "../../../signaling/browser/session";
import { Icon } from "../app/icon";
import { complainThat } from "../app/toasts";
import { t } from "../app/words";
import { Control } from "./control";
import type { Hand } from "./hand";
import type { LiveSession } from "./live_session";

/** Whether somebody has the customer's mouse and keyboard, and the way to ask for them. */
export function Controlling({ live }: { live: LiveSession }) {
  const [busy, setBusy] = useState(false);
  const session = live.session.value;
  const { control } = session.consents;
  if (!session.allowControl || !live.seen.value || live.pictures.value) return null;
  const holder = controlledBy(session);
  if (holder !== null) {
    return (
      <span class="badge danger" role="status">
        <Icon name="keyboard" />
        {holder === live.me.value ? t("control.on") : t("control.other", { name: live.nameOf(holder) })}
      </span>
    );
  }
  const send = async (type: "ask_consent" | "release_control"): Promise<void> => {
    if (busy) return;
    if (type === "ask_consent" && !session.controllable) {
      complainThat(t("control.impossible"));
      return;
    }
    setBusy(true);
    await live.command(type === "ask_consent" ? { type, scope: "control" } : { type });
    setBusy(false);
  };
  return (
    <>
      {control !== undefined && (
        <span class="badge" role="status">
          <Icon name="keyboard" />
          {t(control === "asked" ? "control.asked" : "control.refused")}
        </span>
      )}
      {control === "asked" ? (
        <button
          type="button"
          class="button quiet icon small"
          title={t("control.ask_no_more")}
          aria-label={t("control.ask_no_more")}
          aria-busy={busy}
          onClick={() => void send("release_control")}
        >
          <Icon name="close" />
        </button>
      ) : (
        <button
          type="button"
          class="button small"
          aria-busy={busy}
          aria-disabled={!mayBeControlled(session) || undefined}
          title={t(session.controllable ? "control.ask_hint" : "control.impossible")}
          onClick={() => void send("ask_consent")}
        >
          <Icon name="keyboard" />
          {t("control.ask")}
        </button>
      )}
    </>
  );
}

/** While the agent has control: what they do goes to the customer's computer, and how to end that. */
export function ControlBanner({ live }: { live: LiveSession }) {
  if (!live.controls.value) return null;
  const name = live.customer.value?.name || live.summary.customer_name || t("live.customer");
  return (
    <p class="banner danger">
      <Icon name="keyboard" />
      <span class="grow">{t("control.banner", { name })}</span>
      <button type="button" class="button small" onClick={() => void live.giveControlBack()}>
        {t("control.give_back")}
      </button>
    </p>
  );
}

/** Lies over the live picture while the agent has control and no tool for ink in hand. */
export function ControlPad({ hand }: { hand: Hand }) {
  const { live, drawing, picture } = hand;
  const controls = live.controls.value;
  useEffect(() => {
    if (controls) drawing.tool.value = "pointer";
  }, [controls, drawing]);
  const frozen = live.session.value.shown !== null || picture.held.value;
  return controls && !frozen && drawing.tool.value === "pointer" ? <Pad hand={hand} /> : null;
}

function Pad({ hand }: { hand: Hand }) {
  const pad = useRef<HTMLTextAreaElement>(null);
  useEffect(() => {
    if (pad.current === null) return undefined;
    const control = new Control(pad.current, hand.live, hand.picture);
    return () => control.close();
  }, [hand]);
  return (
    <textarea
      ref={pad}
      class="control-pad"
      aria-label={t("control.pad")}
      autocomplete="off"
      autocapitalize="off"
      spellcheck={false}
    />
  );
}

import { type Key, t } from "./words";

/** Why the server said no, by its stable codes; its own texts are in English alone. */
const REASONS: Readonly<Record<string, Key>> = {
  ended: "refused.ended",
  closed: "refused.ended",
  no_agent: "refused.alone",
  gone: "refused.alone",
  no_consent: "refused.changed",
  not_present: "refused.changed",
  surface_known: "refused.changed",
  unknown_surface: "refused.changed",
  view_first: "refused.changed",
  wrong_phase: "refused.changed",
  flooding: "busy.text",
  internal: "refused.server",
  unavailable: "refused.server",
};

/** What a refusal means and what to do, in the reader's language. */
export function refusalText(code: string): string {
  const reason = REASONS[code];
  return reason ? t(reason) : t("refused.other", { code });
}

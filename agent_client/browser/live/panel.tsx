import { signal } from "@preact/signals";
import type { JSX } from "preact";
import { Icon, type IconName } from "../app/icon";
import type { Word } from "../app/words";
import { t } from "../app/words";
import { Chat } from "./chat";
import { Customer } from "./customer";
import type { LiveSession } from "./live_session";
import { Notes } from "./notes";
import { Snapshots } from "./snapshots";
import { Timeline } from "./timeline";
import "./panel.css";

export type PanelName = "chat" | "notes" | "snapshots" | "timeline" | "customer";

interface PanelEntry {
  name: PanelName;
  label: Word;
  icon: IconName;
  content: (props: { live: LiveSession }) => JSX.Element;
}

const PANELS: readonly PanelEntry[] = [
  { name: "chat", label: "panel.chat", icon: "chat", content: Chat },
  { name: "notes", label: "panel.notes", icon: "note", content: Notes },
  { name: "snapshots", label: "panel.snapshots", icon: "camera", content: Snapshots },
  { name: "timeline", label: "panel.timeline", icon: "clock", content: Timeline },
  { name: "customer", label: "panel.customer", icon: "person", content: Customer },
];

const STORED = "sightline.panel";

function stored(): PanelName | null {
  try {
    return PANELS.find((panel) => panel.name === localStorage.getItem(STORED))?.name ?? null;
  } catch {
    return null;
  }
}

/** The panel that is open at the right; null is none. */
export const openPanel = signal<PanelName | null>(stored());

export function togglePanel(name: PanelName): void {
  openPanel.value = openPanel.value === name ? null : name;
  try {
    localStorage.setItem(STORED, openPanel.value ?? "");
  } catch {
    // Storage may be blocked; the panel is then closed again on the next visit.
  }
}

/** The narrow column of buttons that open one panel at a time. */
export function PanelSwitch({ live }: { live: LiveSession }) {
  const unread = live.unread.value;
  return (
    <div class="panel-switch-column">
      <span class="visually-hidden" role="status">
        {unread > 0 && t("chat.new", { count: unread })}
      </span>
      <div class="panel-switch" role="toolbar" aria-label={t("panel.label")} aria-orientation="vertical">
        {PANELS.map((panel) => (
          <button
            key={panel.name}
            type="button"
            class="button quiet icon"
            aria-pressed={openPanel.value === panel.name}
            title={t(panel.label)}
            onClick={() => togglePanel(panel.name)}
          >
            <Icon name={panel.icon} />
            <span class="visually-hidden">{t(panel.label)}</span>
            {panel.name === "chat" && unread > 0 && (
              <span class="unread">
                {unread}
                <span class="visually-hidden"> {t("chat.unread")}</span>
              </span>
            )}
          </button>
        ))}
      </div>
    </div>
  );
}

export function Panel({ live }: { live: LiveSession }) {
  const panel = PANELS.find((one) => one.name === openPanel.value);
  if (panel === undefined) return null;
  const Content = panel.content;
  return (
    <aside class="panel" aria-label={t(panel.label)}>
      <header class="spread">
        <h2>{t(panel.label)}</h2>
        <button
          type="button"
          class="button quiet icon small"
          aria-label={t("panel.close")}
          onClick={() => togglePanel(panel.name)}
        >
          <Icon name="close" />
        </button>
      </header>
      <Content live={live} />
    </aside>
  );
}

import { t, type Word } from "../app/words";
import type { TicketSummary } from "../http";

export const STATUSES = ["open", "pending", "solved", "closed"] as const;
export const PRIORITIES = ["low", "normal", "high", "urgent"] as const;
export type Status = TicketSummary["status"];
export type Priority = TicketSummary["priority"];

const STATUS_WORDS = {
  open: "status.open",
  pending: "status.pending",
  solved: "status.solved",
  closed: "status.closed",
} as const satisfies Record<Status, Word>;

const PRIORITY_WORDS = {
  low: "priority.low",
  normal: "priority.normal",
  high: "priority.high",
  urgent: "priority.urgent",
} as const satisfies Record<Priority, Word>;

export const statusWord = (status: Status): string => t(STATUS_WORDS[status]);
export const priorityWord = (priority: Priority): string => t(PRIORITY_WORDS[priority]);

export function StatusBadge({ status }: { status: Status }) {
  return <span class={status === "open" ? "badge accent" : "badge"}>{statusWord(status)}</span>;
}

/** High and urgent stand out by a mark as well as by color. */
export function PriorityLabel({ priority }: { priority: Priority }) {
  const marks = { low: "↓", normal: "", high: "↑", urgent: "⇈" }[priority];
  return (
    <span class={priority === "urgent" || priority === "high" ? "priority raised" : "priority"}>
      {marks !== "" && <span aria-hidden="true">{marks} </span>}
      {priorityWord(priority)}
    </span>
  );
}

export function LiveBadge() {
  return (
    <span class="badge accent">
      <span class="dot live" aria-hidden="true" />
      {t("ticket.live")}
    </span>
  );
}

import type { ComponentChildren } from "preact";
import { CopyButton } from "../app/copy";
import { Link } from "../app/router";
import { t } from "../app/words";

/** An address of the web, a recording of ours, a snapshot of ours, or a checkpoint, which is long and to be copied. */
const ADDRESS =
  /(https?:\/\/[^\s<>"]*[^\s<>".,;:!?)\]}»”]|\/console\/library\/[\w-]+|\/api\/sessions\/[\w-]+\/snapshots\/[\w-]+|sightline-checkpoint\.[\w.-]+)/;

/** What somebody wrote, its lines kept; addresses in it can be followed, and ours go by their names. */
export function Said({ text }: { text: string }) {
  let snapshots = 0;
  const parts = text.split(ADDRESS).map((part, index): ComponentChildren => {
    // Of a split by one group every second part is what the group found.
    if (index % 2 === 0) return part;
    if (part.startsWith("/console/")) {
      return (
        <Link key={index} to={part.slice("/console".length)}>
          {t("ticket.play")}
        </Link>
      );
    }
    if (part.startsWith("sightline-checkpoint.")) {
      return (
        <span key={index} class="row nowrap">
          <code class="clip">{part}</code>
          <CopyButton text={part} />
        </span>
      );
    }
    if (part.startsWith("/api/")) snapshots += 1;
    return (
      <a key={index} href={part} target="_blank" rel="noreferrer nofollow">
        {part.startsWith("/api/") ? t("snapshots.alt", { number: snapshots }) : part}
      </a>
    );
  });
  return <p class="said">{parts}</p>;
}

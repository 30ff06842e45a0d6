import { may } from "../app/account";
import { at } from "../app/api";
import { Link } from "../app/router";
import { moment, t } from "../app/words";
import type { Tombstone } from "../http";

/** Who deleted it, and by which rule or on whose word. */
export function deletedWords(stone: Tombstone): string {
  const values = { moment: moment(stone.at), name: stone.by, rule: stone.rule };
  return t(`tombstone.${stone.ground}`, values);
}

/** What a deleted recording says of itself. */
export function Gravestone({ stone }: { stone: Tombstone }) {
  return (
    <section class="card stack gravestone" aria-labelledby="deleted">
      <h2 id="deleted">{t("tombstone.title")}</h2>
      <p>{deletedWords(stone)}</p>
      {stone.reason !== "" && (
        <p>
          <span class="muted">{t("deletion.reason")}:</span> {stone.reason}
        </p>
      )}
      <p class="muted">
        {t("tombstone.gone", { files: stone.segments, pictures: stone.snapshots, words: stone.erased })}
      </p>
      {stone.shredded_at === null && (
        <p class="banner warning" role="status">
          {t("tombstone.unfinished")}
        </p>
      )}
      {stone.articles_kept.length > 0 && (
        <p>
          {t("tombstone.articles_kept")}{" "}
          {stone.articles_kept.map((slug, index) => (
            <span key={slug}>
              {index > 0 && ", "}
              <a href={`/help/${encodeURIComponent(slug)}`} target="_blank" rel="noopener">
                {slug}
              </a>
            </span>
          ))}
        </p>
      )}
      <Proof stone={stone} />
      <div class="row">
        {may("audit.read") && (
          <a class="button" href={at`/api/tombstones/${stone.session}`} download>
            {t("tombstone.download")}
          </a>
        )}
        {may("audit.read") && (
          <Link class="button quiet" to={`/audit?about=${encodeURIComponent(stone.session)}`}>
            {t("audit.of_this")}
          </Link>
        )}
      </div>
    </section>
  );
}

/** Whether the tombstone is as it was signed, in words. */
export function Proof({ stone }: { stone: Tombstone }) {
  return (
    <p class={stone.genuine ? "small muted" : "banner danger"} role={stone.genuine ? undefined : "alert"}>
      {t(stone.genuine ? "tombstone.genuine" : "tombstone.forged")}
    </p>
  );
}

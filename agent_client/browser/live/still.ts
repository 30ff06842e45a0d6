import { signal } from "@preact/signals";
import { at, upload } from "../app/api";
import { complain, complainThat, tell } from "../app/toasts";
import { t } from "../app/words";
import type { SnapshotStored } from "../http";
import type { LiveSession } from "./live_session";
import type { Picture } from "./picture";

/** How long the customer's page has for a picture in full resolution: it may come late, and then there would be two. */
const ANSWER_WITHIN_MS = 8_000;

/** Still pictures: freezing what is seen, and keeping snapshots. */
export class Still {
  readonly freezing = signal(false);
  readonly asking = signal(false);

  constructor(
    readonly live: LiveSession,
    readonly picture: Picture,
  ) {}

  /** Whether all look at a still picture. */
  get frozen(): boolean {
    return this.live.session.value.shown !== null;
  }

  /** Keeps what is seen and lets all look at it; or back to what is shared live. */
  async toggleFreeze(): Promise<void> {
    if (this.freezing.value || this.live.pictures.value) return;
    this.freezing.value = true;
    try {
      if (this.frozen) await this.live.show(null);
      else await this.#freeze();
    } catch (error) {
      this.picture.release();
      complain(error);
    } finally {
      this.freezing.value = false;
    }
  }

  /** Asks the customer's page for the picture in full resolution; without an answer, keeps what is seen here. */
  async snapshot(): Promise<void> {
    if (this.asking.value || this.live.pictures.value) return;
    this.asking.value = true;
    try {
      const before = this.#own().length;
      const asked = this.live.relay({ type: "request_snapshot" });
      const came = asked && (await this.#comes(before));
      const kept = came ? this.#own().at(-1)?.surface : await this.#keep();
      if (kept === undefined) complainThat(t("snapshot.nothing"));
      else tell(t("snapshot.kept", { width: String(kept.width), height: String(kept.height) }));
      if (kept !== undefined && !came) tell(t("snapshot.own"));
    } catch (error) {
      complain(error);
    } finally {
      this.asking.value = false;
    }
  }

  async #freeze(): Promise<void> {
    this.picture.hold();
    const kept = await this.#keep();
    if (kept === undefined) {
      this.picture.release();
      complainThat(t("snapshot.nothing"));
    } else if (!(await this.live.show(kept.id))) this.picture.release();
  }

  /** Snapshots that this agent asked for. */
  #own() {
    return this.live.session.value.snapshots.filter((one) => one.requestedBy === this.live.me.value);
  }

  #comes(before: number): Promise<boolean> {
    return new Promise((resolve) => {
      const done = (came: boolean): void => {
        window.clearTimeout(timer);
        stop();
        resolve(came);
      };
      const timer = window.setTimeout(() => done(false), ANSWER_WITHIN_MS);
      const stop = this.live.session.subscribe(() => {
        // `subscribe` tells at once as well, before `stop` is there to be used.
        if (this.#own().length > before) queueMicrotask(() => done(true));
      });
    });
  }

  async #keep(): Promise<SnapshotStored["surface"] | undefined> {
    const picture = await this.picture.capture();
    if (picture === null) return undefined;
    const kind = this.live.session.value.surface?.kind ?? "picture";
    const path = `${at`/api/sessions/${this.live.id}/snapshots`}?surface_kind=${kind}`;
    return (await upload<SnapshotStored>(path, picture, this.live.participation.token)).surface;
  }
}

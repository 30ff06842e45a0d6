import { useState } from "preact/hooks";
import { Dialog } from "../app/dialog";
import { tell } from "../app/toasts";
import { t } from "../app/words";
import type { Hand } from "./hand";

/** A moment worth finding again, `at` in the server's time. */
export function BookmarkDialog({ hand, at }: { hand: Hand; at: number }) {
  const [title, setTitle] = useState("");
  const [busy, setBusy] = useState(false);
  const { live } = hand;
  const close = (): void => {
    hand.bookmarking.value = null;
  };
  const set = async (): Promise<void> => {
    if (busy) return;
    setBusy(true);
    if (await live.command({ type: "add_bookmark", title: title.trim(), at })) {
      tell(t("bookmark.added"));
      close();
    } else setBusy(false);
  };
  return (
    <Dialog title={t("bookmark.title")} onClose={close}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          void set();
        }}
      >
        <label class="field">
          <span>{t("bookmark.field")}</span>
          <input maxlength={200} autofocus value={title} onInput={(event) => setTitle(event.currentTarget.value)} />
        </label>
        <footer>
          <button type="submit" class="button primary" aria-busy={busy}>
            {t("bookmark.submit")}
          </button>
        </footer>
      </form>
    </Dialog>
  );
}

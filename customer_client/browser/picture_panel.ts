import { CaptureError, canCapture, pickStillPicture } from "./capture";
import type { Customer } from "./customer";
import { element, listen, setText, show } from "./elements";
import type { Page } from "./page";
import { Failure } from "./participation";
import { fitPicture, PictureError, pictureIn, readClipboard } from "./pictures";
import { refusalText } from "./refusals";
import { type Key, t } from "./words";

const REFUSED: Record<string, Key> = {
  not_a_picture: "picture.error.kind",
  picture_too_large: "picture.error.large",
  picture_damaged: "picture.error.damaged",
  picture_animated: "picture.error.moving",
  disk_full: "picture.error.store",
  too_many_snapshots: "picture.error.many",
  offline: "picture.error.offline",
};

export interface PicturePanel {
  element: HTMLElement;
  close(): void;
}

/** The ways to send a picture: take one, choose a file, the camera, paste, drop; `sent` is told after each. */
export function picturePanel(page: Page, customer: Customer, sent: () => void): PicturePanel {
  const agent = customer.agents[0]?.name ?? customer.session.agent?.name ?? t("name.staff");
  const trouble = element("p", { class: "banner danger", role: "alert", hidden: true });
  const busy = element(
    "p",
    { class: "row", role: "status", hidden: true },
    element("span", { class: "spinner" }),
    t("picture.sending"),
  );
  let sending = false;

  async function send(get: () => Promise<Blob>, name: string): Promise<void> {
    if (sending) return;
    sending = true;
    show(trouble, false);
    show(busy, true);
    try {
      await customer.sendPicture(await get());
      page.announce(t("picture.sent"));
      sent();
    } catch (error) {
      const text = explain(error, name);
      setText(trouble, text);
      show(trouble, text !== "");
    } finally {
      sending = false;
      show(busy, false);
    }
  }

  const sendFile = (file: File | null) =>
    file
      ? send(() => fitPicture(file, file.name), file.name)
      : send(() => Promise.reject(new PictureError("empty")), "");
  const chooser = (camera: boolean) => {
    const input = element("input", {
      type: "file",
      accept: "image/*",
      hidden: true,
      capture: camera ? "environment" : null,
      onchange: () => {
        if (input.files?.[0]) void sendFile(input.files[0]);
        input.value = "";
      },
    });
    // Hidden, since the button that opens the chooser is what is seen, heard and reached by keyboard.
    input.setAttribute("aria-label", t(camera ? "picture.camera" : "picture.choose"));
    return input;
  };
  const files = chooser(false);
  const camera = chooser(true);
  const take = () => send(() => (customer.track ? customer.screen.still() : pickStillPicture()), "");
  const way = (label: Key, run: () => void, primary = false) =>
    element(
      "button",
      { type: "button", class: primary ? "button primary large" : "button large", onclick: run },
      t(label),
    );

  const drop = element(
    "div",
    {
      class: "drop stack",
      ondragover: (event: DragEvent) => {
        event.preventDefault();
        drop.classList.add("over");
      },
      ondragleave: () => drop.classList.remove("over"),
      ondrop: (event: DragEvent) => {
        event.preventDefault();
        drop.classList.remove("over");
        void sendFile(pictureIn(event.dataTransfer));
      },
    },
    element(
      "div",
      { class: "row" },
      way("picture.choose", () => files.click(), true),
      canCapture() && way(customer.track ? "picture.take.shared" : "picture.take", () => void take()),
      matchMedia("(pointer: coarse)").matches && way("picture.camera", () => camera.click()),
      typeof navigator.clipboard?.read === "function" &&
        way("picture.paste", () => void send(async () => fitPicture(await readClipboard(), ""), "")),
    ),
    element("p", { class: "small muted" }, t("picture.paste.hint"), " ", t("picture.drop")),
    files,
    camera,
  );
  const stop = listen("paste", (event) => {
    const target = event.target;
    if (target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement || !isShown(drop)) return;
    event.preventDefault();
    void sendFile(pictureIn(event.clipboardData));
  });

  return {
    element: element("div", { class: "stack" }, element("p", {}, t("picture.lead", { agent })), trouble, busy, drop),
    close: stop,
  };
}

function isShown(target: HTMLElement): boolean {
  return target.isConnected && target.getClientRects().length > 0;
}

/** What went wrong and what to do; nothing when the person only changed their mind. */
function explain(error: unknown, name: string): string {
  const shown = name || t("sharing.surface.picture");
  if (error instanceof CaptureError) return error.trouble === "closed" ? "" : t(`trouble.${error.trouble}`);
  if (error instanceof PictureError) return t(`picture.error.${error.trouble}`, { name: shown });
  if (!(error instanceof Failure)) return t("picture.error.kind", { name: shown });
  const known = error.status === 0 ? REFUSED.offline : REFUSED[error.code];
  if (known) return t(known, { name: shown });
  if (error.status === 429) return t("busy.text");
  if (error.status === 507) return t("picture.error.store");
  return error.status >= 500
    ? t("failed.text", { id: error.id || "–" })
    : t("picture.error.other", { text: refusalText(error.code) });
}

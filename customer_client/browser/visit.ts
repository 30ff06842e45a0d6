// The customer's way through the page, from the invitation to the thanks: which screen stands for what is so.

import { Chat } from "./chat";
import { Customer } from "./customer";
import { show } from "./elements";
import type { Participation } from "./http";
import { Page } from "./page";
import { Failure, forget, openCode, openLink, organization, resume } from "./participation";
import { afterwardsScreen } from "./screens/afterwards";
import { codeScreen, failureText } from "./screens/code";
import { loadingScreen, messageScreen } from "./screens/message";
import { sharingScreen } from "./screens/sharing";
import { waitingScreen } from "./screens/waiting";
import { whoScreen } from "./screens/who";
import { t } from "./words";

const CODE = /^[0-9a-z]{4}-[0-9a-z]{4}$/i;
const INTERRUPTED = "sightline.interrupted";

/** The page that a link or a code opens. */
export function startJoining(): void {
  const page = new Page("page.join");
  // Another invitation pasted into the address bar of this tab changes nothing but the fragment.
  window.addEventListener("hashchange", () => {
    if (location.hash.length > 1) location.reload();
  });
  const token = location.hash.slice(1);
  if (token) history.replaceState(null, "", location.pathname + location.search);
  void enter(page, token);
}

async function enter(page: Page, token: string): Promise<void> {
  page.show("loading", () => loadingScreen(t("page.join"), t("page.loading")));
  try {
    const place = token ? await open(decodeURIComponent(token)) : await resume();
    if (place) visit(page, place);
    else typeCode(page, null);
  } catch (failure) {
    const gone = failure instanceof Failure && failure.status >= 400 && failure.status < 429;
    if (gone) typeCode(page, "unusable.text");
    else {
      page.show("offline", () =>
        messageScreen(t("offline.title"), failureText(failure, t("unusable.text")), [
          { label: t("again"), primary: true, run: () => void enter(page, token) },
        ]),
      );
    }
  }
}

/** The program hands a person on to this page with whatever it was given itself. */
function open(invitation: string): Promise<Participation> {
  return CODE.test(invitation) ? openCode(invitation) : openLink(invitation);
}

function typeCode(page: Page, notice: "unusable.text" | null): void {
  // The page says the same without the name.
  void organization().then(
    (name) => {
      page.organization = name;
    },
    () => undefined,
  );
  page.show(`code ${notice}`, () =>
    codeScreen(
      async (code) => visit(page, await openCode(code)),
      notice ? `${t("unusable.title")}. ${t(notice)}` : null,
    ),
  );
}

/** Takes part in the session until it is over. */
export function visit(page: Page, place: Participation): void {
  const customer = new Customer(place, (kind) => t(`sharing.surface.${kind}`));
  let chat: Chat | null = null;
  let declined = false;
  let again = false;

  const choose = () => {
    page.organization = customer.session.organization;
    const screen = screenOf(customer, declined, again);
    if (screen === "sharing") again = declined = false;
    if (chat === null && customer.caughtUp) {
      chat = new Chat(page, customer);
      document.body.append(chat.element);
    }
    page.show(screen, () => SCREENS[screen]());
    if (chat) placeChat(chat, screen, customer);
    chat?.update();
  };
  const leave = () => {
    void customer.leave().then(choose);
    forget();
    choose();
  };
  const SCREENS = {
    loading: () => loadingScreen(t("page.join"), t("page.loading")),
    waiting: () => waitingScreen(page, customer, leave),
    who: () =>
      whoScreen(page, customer, () => {
        customer.withdraw();
        declined = true;
        choose();
      }),
    declined: () =>
      messageScreen(
        t("declined.title"),
        t("declined.text", { agent: customer.session.agent?.name ?? t("name.staff") }),
        [
          {
            label: t("declined.change"),
            primary: true,
            run: () => {
              declined = false;
              again = true;
              choose();
            },
          },
          { label: t("declined.leave"), run: leave },
        ],
      ),
    sharing: () => sharingScreen(page, customer, chat ?? new Chat(page, customer)),
    afterwards: () =>
      afterwardsScreen(
        page,
        customer,
        () => {
          again = true;
          choose();
        },
        leave,
      ),
    replaced: () =>
      messageScreen(t("replaced.title"), t("replaced.text"), [
        { label: t("replaced.here"), run: () => location.reload() },
      ]),
    removed: () =>
      messageScreen(t("removed.title"), t("removed.text"), [
        { label: t("code.title"), run: () => location.assign(location.pathname) },
      ]),
  };

  if (wasInterrupted()) customer.interruption = "reloaded";
  customer.on("change", choose);
  customer.on("event", ({ body }) => {
    if (body.type === "sharing_stopped") page.announce(t("sharing.stopped"));
    if (body.type === "consent_asked" && body.scope === "view") declined = false;
  });
  window.addEventListener("pagehide", () => {
    if (customer.track) remember();
    customer.depart();
  });
  page.redrawn = () => {
    const open = chat?.open ?? false;
    chat?.close();
    chat = null;
    choose();
    if (open) (chat as Chat | null)?.toggle(true);
  };
  customer.open();
  choose();
}

type ScreenName = "loading" | "waiting" | "who" | "declined" | "sharing" | "afterwards" | "replaced" | "removed";

/** The screen that stands for what is so. */
function screenOf(customer: Customer, declined: boolean, again: boolean): ScreenName {
  const { session } = customer;
  const shared = session.sharedMs > 0 || session.sharingSince !== null;
  if (customer.left || session.phase === "ended") return "afterwards";
  if (customer.closed === "replaced") return "replaced";
  if (customer.closed !== null) {
    forget();
    return "removed";
  }
  if (!customer.caughtUp) return "loading";
  if (customer.sharing) return "sharing";
  if (session.agent === null) return "waiting";
  if (declined || (session.consents.view === "refused" && !again)) return "declined";
  return shared && !again && customer.interruption === null ? "afterwards" : "who";
}

/** Beside the shared picture the chat has its place in the bar; elsewhere it shows itself when there is anything in it. */
function placeChat(chat: Chat, screen: ScreenName, customer: Customer): void {
  const gone = screen === "replaced" || screen === "removed" || screen === "loading";
  if (screen === "sharing") chat.button.classList.remove("corner");
  else {
    chat.button.classList.add("corner");
    if (chat.button.parentElement !== document.body) document.body.append(chat.button);
  }
  const over = gone || isOver(customer);
  show(chat.button, screen === "sharing" || (!over && customer.session.chat.length > 0));
  if (over) show(chat.element, false);
}

function isOver(customer: Customer): boolean {
  return customer.left || customer.session.phase === "ended";
}

function remember(): void {
  try {
    sessionStorage.setItem(INTERRUPTED, "1");
  } catch {
    // Then the page only cannot say why the picture is gone.
  }
}

function wasInterrupted(): boolean {
  try {
    const interrupted = sessionStorage.getItem(INTERRUPTED) === "1";
    sessionStorage.removeItem(INTERRUPTED);
    return interrupted;
  } catch {
    return false;
  }
}

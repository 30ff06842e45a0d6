import { may } from "./account";
import type { IconName } from "./icon";
import type { PageName } from "./router";
import type { Word } from "./words";

/** A place of the console that the rail, the palette and the `g` keys lead to. */
export interface Place {
  page: PageName;
  to: string;
  label: Word;
  letter: string;
  icon: IconName;
  /** The capability without which it is not offered. */
  needs: string | null;
  /** Pages that belong to it, for marking where one is. */
  holds: readonly PageName[];
}

const PLACES: readonly Place[] = [
  {
    page: "waiting",
    to: "/waiting",
    label: "place.waiting",
    letter: "w",
    icon: "waiting",
    needs: "waiting.read",
    holds: [],
  },
  {
    page: "my_tickets",
    to: "/tickets/mine",
    label: "place.my_tickets",
    letter: "m",
    icon: "person",
    needs: "ticket.write",
    holds: [],
  },
  {
    page: "tickets",
    to: "/tickets",
    label: "place.tickets",
    letter: "t",
    icon: "ticket",
    needs: "ticket.read",
    holds: ["ticket", "session"],
  },
  {
    page: "library",
    to: "/library",
    label: "place.library",
    letter: "l",
    icon: "library",
    needs: "recording.read",
    holds: ["recording"],
  },
  {
    page: "articles",
    to: "/articles",
    label: "place.articles",
    letter: "a",
    icon: "article",
    needs: "article.write",
    holds: [],
  },
  { page: "users", to: "/users", label: "place.users", letter: "u", icon: "people", needs: "user.admin", holds: [] },
  {
    page: "retention",
    to: "/retention",
    label: "place.retention",
    letter: "r",
    icon: "clock",
    needs: "recording.hold",
    holds: [],
  },
  { page: "audit", to: "/audit", label: "place.audit", letter: "d", icon: "eye", needs: "audit.read", holds: [] },
];

/** The places that who is signed in may go to; the first is where one begins. */
export const places = (): readonly Place[] => PLACES.filter((place) => place.needs === null || may(place.needs));

/** Where one begins. */
export const home = (): string => places()[0]?.to ?? "/tickets";

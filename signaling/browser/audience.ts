// To whom the customer's page sends its picture: to each agent, or once to the recorder, which hands it on.

import type { Event } from "./messages";
import { isRelayed, type Participant, present, type Session } from "./session";

/** Viewers that a browser can encode for by itself. */
const MAX_DIRECT_VIEWERS = 4;
const REMEMBERED_FOR_MS = 10_000;

/** Agents who asked for a connection of their own, and have not yet said how the picture reaches them since. */
export class Asking {
  readonly #until = new Map<string, ReturnType<typeof setTimeout>>();
  readonly #forgotten: () => void;

  /** `forgotten` is told when one who asked has not been heard of for long. */
  constructor(forgotten: () => void) {
    this.#forgotten = forgotten;
  }

  has(participant: string): boolean {
    return this.#until.has(participant);
  }

  add(participant: string): void {
    this.#forget(participant);
    const forget = () => {
      this.#forget(participant);
      this.#forgotten();
    };
    this.#until.set(participant, setTimeout(forget, REMEMBERED_FOR_MS));
  }

  follow({ body }: Event): void {
    if (body.type === "path_changed") this.#forget(body.participant);
    if (body.type === "sharing_stopped") for (const participant of [...this.#until.keys()]) this.#forget(participant);
  }

  #forget(participant: string): void {
    clearTimeout(this.#until.get(participant));
    this.#until.delete(participant);
  }
}

/** Those to whom a connection is to be there; `sender` knows to whom one is already, or is being made. */
export function audienceOf(
  session: Session,
  asking: { has(participant: string): boolean },
  sender: { serves(participant: string): boolean },
): Participant[] {
  const relayed = isRelayed(session);
  const agents = present(session, "agent");
  const throughRecorder = ({ id }: Participant) => session.paths[id] === "recorder";
  // Who has a picture keeps it until another way carries it: neither direction of the change leaves anyone without.
  const direct = agents.filter(
    (agent) => !relayed || asking.has(agent.id) || (sender.serves(agent.id) && !throughRecorder(agent)),
  );
  const passesOn = relayed || session.recording === "on" || agents.some(throughRecorder);
  return [...direct.slice(0, MAX_DIRECT_VIEWERS), ...(passesOn ? present(session, "recorder") : [])];
}

/** Why the picture goes by way of the server; null while it goes to the agents directly. */
export function whyRelayed(session: Session): "recorded" | "several" | "snapshots" | null {
  const ways = present(session, "agent").map(({ id }) => session.paths[id]);
  if (ways.includes("snapshots")) return "snapshots";
  if (!ways.includes("recorder")) return null;
  return session.recording === "on" ? "recorded" : "several";
}

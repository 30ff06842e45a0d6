import type { Connection } from "../../signaling/browser/connection";
import { Microphone } from "../../signaling/browser/microphone";
import type { Sender } from "../../signaling/browser/sender";
import type { Session } from "../../signaling/browser/session";
import { Voices } from "../../signaling/browser/voices";

/** Talking, on the customer's side: nothing is sent or heard before the yes that the server knows of, or after its end. */
export class Voice {
  readonly microphone = new Microphone();
  readonly voices = new Voices();
  readonly #sender: Sender;
  readonly #connection: Connection;
  #agreed = false;
  #asked = false;

  /** `changed` hears of anything to show. */
  constructor(sender: Sender, connection: Connection, changed: () => void) {
    this.#sender = sender;
    this.#connection = connection;
    sender.on("voice", ({ participant, track }) => this.voices.set(participant, track));
    this.voices.on("change", changed);
    this.microphone.on("change", () => {
      if (this.microphone.trouble === "lost") void this.#answer(false);
      this.#feed();
      changed();
    });
  }

  /** How the microphone is: `opening` until the browser and the server have both agreed. */
  get state(): Microphone["state"] {
    const { state } = this.microphone;
    return state === "off" || this.#agreed ? state : "opening";
  }

  /** Opens the microphone, and then agrees to be heard; says no when there is none to open. */
  async turnOn(): Promise<void> {
    if (await this.microphone.open()) {
      if (!(await this.#answer(true))) this.microphone.close();
    } else if (this.#asked && this.microphone.trouble) {
      void this.#answer(false);
    }
  }

  /** Nobody hears anything from here on, whatever the network does. Says no as well to who only asked. */
  turnOff(): void {
    this.microphone.close();
    void this.#answer(false);
  }

  /** Brings all into line with what the server says, and with whether a screen is shared here. */
  settle(consent: Session["consents"]["voice"], sharing: boolean): void {
    const agreed = sharing && consent === "given";
    const ended = !sharing || (this.#agreed && !agreed);
    this.#agreed = agreed;
    this.#asked = consent === "asked";
    if (ended) this.microphone.close();
    this.#feed();
  }

  async #answer(granted: boolean): Promise<boolean> {
    return (await this.#connection.send({ type: "give_consent", scope: "voice", granted })).ok;
  }

  #feed(): void {
    this.#sender.setVoice(this.#agreed ? this.microphone.voice : null);
    this.voices.audible = this.#agreed && this.microphone.state !== "off";
  }
}

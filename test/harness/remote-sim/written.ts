import { itemsOf } from "../../../src/client/remote/kept-talk.ts";
import type { MailMessage } from "../../../src/protocol/mail-units.ts";
import type { MailLook, WatchMail } from "../../../src/remote/records/mail-watch.ts";
import { MAIL_TOLD } from "../../../src/sealing/item.ts";
import type { MailItem } from "../../../src/sealing/mail-item.ts";
import type { DeviceActor } from "./device-actor.ts";
import { keptBy } from "./spoken.ts";
import type { Life } from "./virtual-time.ts";

/** The person's mail on a machine: it outlives its servers. */
export class Written {
  readonly #entries: MailLook = [];
  #onMail: ((look: MailLook) => void) | undefined;
  #life: Life | undefined;

  /** A message is written, and the one before was read. */
  write(): void {
    const before = this.#entries.at(-1);
    if (before) before.receipts[0]!.state = "handled";
    const seq = this.#entries.length + 1;
    const [id, at, to] = [`m${seq}`, new Date(0).toISOString(), "you"];
    const about = { id, seq, from: "owl", to, addressed_to: to, sent_at: at, thread: id, hops: 0 };
    const message: MailMessage = { ...about, kind: "message", body: `${seq} `.repeat(20) };
    this.#entries.push({ message, receipts: [{ id, seq, to, state: "queued", at }] });
    this.#look();
  }

  /** As the server's watch of its mailbox: a life's own. */
  watchMail(life: Life): WatchMail {
    return ({ onMail }) => {
      this.#onMail = onMail;
      this.#life = life;
      life.clock.timer(100, () => this.#look());
      return {
        close: () => {
          if (this.#onMail === onMail) this.#onMail = undefined;
        },
      };
    };
  }

  #look(): void {
    if (this.#life?.isOver === false) this.#onMail?.(structuredClone(this.#entries.slice(-200).reverse()));
  }

  /** What is wrong with what a device has of it by one hub: there is no such message, or not yet in this state. */
  wrong(device: DeviceActor, hub: string): string | undefined {
    const other = told(device, hub).find(({ message, receipts }) => {
      const there = this.#entries[message.seq - 1];
      return there?.message.body !== message.body || (receipts[0]!.state === "handled" && stateOf(there) === "queued");
    });
    return other && `message ${other.message.seq}`;
  }

  /** Everything, as it was last. */
  isWhole(device: DeviceActor, hub: string): boolean {
    const kept = keptBy<MailItem>(device, hub, MAIL_TOLD);
    if (this.#entries.length === 0) return true;
    if (!kept || kept.isIncomplete) return false;
    const there = this.#entries.slice(-kept.entries.length).map((one) => `${one.message.seq} ${stateOf(one)}`);
    return (
      there.join() ===
      itemsOf(kept)
        .map((one) => `${one.message.seq} ${stateOf(one)}`)
        .join()
    );
  }
}

const stateOf = ({ receipts }: Pick<MailItem, "receipts">): string => receipts[0]!.state;

const told = (device: DeviceActor, hub: string): MailItem[] =>
  itemsOf<MailItem>(keptBy<MailItem>(device, hub, MAIL_TOLD) ?? { entries: [] });

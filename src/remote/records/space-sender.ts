import type { Log } from "../../platform/log.ts";
import { isWarrenError, messageOf } from "../../protocol/errors.ts";
import { RECORD_KINDS } from "../../sealing/record.ts";
import type { HubPlace } from "../hubs.ts";
import type { Kept } from "./kept.ts";
import type { Owed, SpaceState } from "./space-state.ts";

/** Gives one hub what is sealed for it and not confirmed, in order, states beside each other. What the hub confirms is owed no more. */
export interface SpaceSenderOptions {
  link: HubPlace["link"];
  state: Kept<SpaceState>;
  log: Log;
  /** Nothing more is to be sent. */
  isClosed(): boolean;
  /** The hub has newer states than these: this home was restored from a backup. */
  onOld(): Promise<void>;
}

/** `later`: the hub was full, or could not store it. What was cut off goes with the next contact. */
export type Sent = "all" | "later" | "cut_off";

/** States on their way at once: their order does not matter. */
const PUTS_MAX = 32;
const HUB_GONE = ["HUB_LOST", "HUB_SILENT", "HUB_AWAY"];
const LATER = ["SPACE_FULL", "HUB_NOT_STORED"];

export class SpaceSender {
  readonly #options: SpaceSenderOptions;

  constructor(options: SpaceSenderOptions) {
    this.#options = options;
  }

  async send(): Promise<Sent> {
    const { link, state, isClosed, onOld } = this.#options;
    while (!isClosed() && link.state.kind === "ready") {
      const batch = nextBatch(state.now.owed);
      if (batch.length === 0) return "all";
      const puts = batch.map(({ bytes }) => link.ask({ kind: "put", record: Buffer.from(bytes, "base64") }));
      const answers = (await Promise.allSettled(puts)).map((one) =>
        one.status === "rejected" ? one.reason : undefined,
      );
      const done = batch.filter((_, index) => !this.#isOwedStill(answers[index]));
      if (done.length > 0) await state.change((draft) => without(draft, done));
      if (answers.some((error) => isWarrenError(error, "RECORD_OLD"))) await onOld();
      if (answers.some((error) => isWarrenError(error) && LATER.includes(error.code))) return "later";
      if (done.length < batch.length) return "cut_off";
    }
    return "cut_off";
  }

  /** What the hub refuses for good is dropped: its readers see what is missing. */
  #isOwedStill(error: unknown): boolean {
    if (error === undefined) return false;
    if (isWarrenError(error) && [...HUB_GONE, ...LATER].includes(error.code)) return true;
    this.#options.log.warn("record_refused", { error: messageOf(error) });
    return false;
  }
}

function nextBatch(owed: readonly Owed[]): Owed[] {
  const end = owed.findIndex(({ kind }) => kind !== RECORD_KINDS.state);
  const states = owed.slice(0, Math.min(PUTS_MAX, end === -1 ? owed.length : end));
  return states.length > 0 ? states : owed.slice(0, 1);
}

function without(draft: SpaceState, done: readonly Owed[]): boolean {
  const bytes = new Set(done.map((one) => one.bytes));
  draft.owed = draft.owed.filter((one) => !bytes.has(one.bytes));
  return true;
}

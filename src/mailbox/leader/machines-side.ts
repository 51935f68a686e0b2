import { hostname } from "node:os";
import { type Clock, timestamp } from "../../platform/clock.ts";
import type { Log } from "../../platform/log.ts";
import { messageOf } from "../../protocol/errors.ts";
import type { Machines as MachinesTold, Participant } from "../../protocol/mail-units.ts";
import type { PayloadOf } from "../../protocol/messages.ts";
import { isRemote } from "../log/addresses.ts";
import type { Effect } from "../log/operations.ts";
import type { OpenMachines, OpenMachinesOptions } from "../machines/open-machines.ts";
import type { LeaderLog } from "./leader-log.ts";
import { MachinesFile, type Membership } from "./machines-file.ts";

/** The leader's exchange with other machines. Its code is loaded when this machine has joined them, and not before. */
export interface MachinesSideOptions {
  mailDir: string;
  log: LeaderLog;
  clock: Clock;
  ownLog: Log;
  epoch: () => number;
  withPresence: (participants: readonly Participant[]) => Participant[];
}

export class MachinesSide {
  readonly #options: MachinesSideOptions;
  readonly #file: MachinesFile;
  #open: OpenMachines | undefined;
  /** Of the file; undefined: it has joined none. */
  #membership: Membership | undefined;
  #problem: string | undefined;
  #isClosed = false;
  /** Joining and leaving, one after the other. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: MachinesSideOptions) {
    this.#options = options;
    this.#file = new MachinesFile(options.mailDir);
  }

  /** Then the leader stays, for what comes from there. */
  get isJoined(): boolean {
    return this.#membership !== undefined;
  }

  /** Once this process leads. */
  start(): void {
    void this.#inTurn(() => this.#start()).catch((error) => {
      this.#problem = messageOf(error);
      this.#options.ownLog.error("machines_not_started", { error: this.#problem });
    });
  }

  /** @throws INVALID_NAME, INVALID_URL, ALREADY_JOINED, NATS_UNREACHABLE, MACHINE_NAME_TAKEN */
  join(asked: PayloadOf<"mail.join_machines">): Promise<MachinesTold> {
    return this.#inTurn(async () => {
      const { openMachines, refuseOther, checkedMembership } = await import("../machines/open-machines.ts");
      const wanted = checkedMembership({ ...asked, machine: asked.machine ?? defaultName(hostname()) });
      if (this.#membership) {
        refuseOther(this.#membership, wanted);
        return await this.list();
      }
      this.#open = await openMachines(this.#opening(wanted), "check");
      this.#file.write(wanted);
      this.#membership = wanted;
      this.#problem = undefined;
      await this.#open.start();
      return await this.list();
    });
  }

  /** @throws NOT_JOINED */
  leave(): Promise<MachinesTold> {
    return this.#inTurn(async () => {
      const { notJoinedYet, leaveLog } = await import("../machines/open-machines.ts");
      if (!this.#membership) throw notJoinedYet();
      this.#file.remove();
      this.#membership = undefined;
      this.#problem = undefined;
      await this.#open?.close({ leaves: true });
      this.#open = undefined;
      await leaveLog(this.#options.log, this.#options.clock);
      return await this.list();
    });
  }

  async list(): Promise<MachinesTold> {
    const membership = this.#membership;
    if (!membership || !this.#open) {
      const problem = this.#problem === undefined ? {} : { problem: this.#problem };
      const own = membership && { machine: membership.machine };
      return { state: membership ? "connecting" : "alone", ...own, ...problem, machines: [] };
    }
    const { state, problem, url } = this.#open;
    return {
      state: state.kind,
      machine: membership.machine,
      url,
      ...(state.kind === "connected" ? { since: timestamp(state.sinceMs) } : {}),
      ...(problem === undefined ? {} : { problem }),
      machines: await this.#open.list(),
    };
  }

  /** What a commit brought about. */
  take(effects: readonly Effect[]): void {
    this.#open?.take(effects);
  }

  /** Another leader goes on. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#open?.close({ leaves: false });
  }

  async #start(): Promise<void> {
    const membership = this.#file.read();
    if (!membership || this.#isClosed) return;
    this.#membership = membership;
    const { openMachines } = await import("../machines/open-machines.ts");
    const open = await openMachines(this.#opening(membership), "go on");
    if (this.#isClosed) return void open.close({ leaves: false });
    this.#open = open;
    await open.start();
  }

  #opening(membership: Membership): OpenMachinesOptions {
    const { log, clock, ownLog, epoch } = this.#options;
    return { membership, log, clock, ownLog, epoch: epoch(), participants: () => this.#namesHere() };
  }

  /** Who can be written to here, as the others are told. */
  async #namesHere(): Promise<[string, string][]> {
    const { log, clock, withPresence } = this.#options;
    const operation = { type: "mail.list", payload: {}, by: { client: "leader" }, nowMs: clock.wallMs() } as const;
    const { participants } = await log.read<"mail.list">(operation);
    return withPresence(participants)
      .filter(({ name, registered_at, forwards_to }) => !isRemote(name) && registered_at !== undefined && !forwards_to)
      .map(({ name, presence }) => [name, presence]);
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work, work);
    this.#last = turn.catch(() => undefined);
    return turn;
  }
}

/** The host's name up to its first dot, as far as a machine's name can have its letters. */
function defaultName(host: string): string {
  const name = host
    .split(".")[0]!
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, "-")
    .slice(0, 32)
    .replace(/^-+|-+$/g, "");
  return name === "" ? "machine" : name;
}

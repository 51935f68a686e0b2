import type { Clock } from "../../platform/clock.ts";
import type { Log } from "../../platform/log.ts";
import { isWarrenError, messageOf } from "../../protocol/errors.ts";
import type { Machine } from "../../protocol/mail-units.ts";
import { MACHINE_NAME_PATTERN } from "../log/addresses.ts";
import type { Effect } from "../log/operations.ts";
import { alreadyJoined, invalidMachineName, transportUnreachable } from "./errors.ts";
import { type LogOfLeader, MachineLog } from "./machine-log.ts";
import { Machines } from "./machines.ts";
import { natsAddress, shownUrl } from "./nats/nats-settings.ts";
import { NatsTransport } from "./nats/nats-transport.ts";
import type { Transport, TransportState } from "./transport.ts";

export { notJoinedYet } from "./errors.ts";

/** What stands in machines.json, as an exchange that runs. The only place that knows which transport there is. */
export interface Membership {
  url: string;
  machine: string;
  creds?: string | undefined;
  ca?: string | undefined;
}

export interface OpenMachinesOptions {
  membership: Membership;
  epoch: number;
  log: LogOfLeader;
  clock: Clock;
  ownLog: Log;
  participants: () => Promise<readonly (readonly [string, string])[]>;
}

export interface OpenMachines {
  readonly url: string;
  readonly state: TransportState;
  readonly problem: string | undefined;
  start(): Promise<void>;
  take(effects: readonly Effect[]): void;
  list(): Promise<Machine[]>;
  close(how: { leaves: boolean }): Promise<void>;
}

/** Nobody answers in this time: the URL is wrong, or nothing is there. */
const REACHED_MS = 10_000;

/** @throws INVALID_NAME, INVALID_URL */
export function checkedMembership({ url, machine, creds, ca }: Membership): Membership {
  if (!MACHINE_NAME_PATTERN.test(machine)) throw invalidMachineName(machine);
  natsAddress(url);
  return { url, machine, ...(creds === undefined ? {} : { creds }), ...(ca === undefined ? {} : { ca }) };
}

/** @throws ALREADY_JOINED */
export function refuseOther(now: Membership, wanted: Membership): void {
  if (now.url !== wanted.url || now.machine !== wanted.machine) throw alreadyJoined(now.machine, shownUrl(now.url));
}

/**
 * `check`: resolves when it is connected and has its name.
 * @throws NATS_UNREACHABLE, MACHINE_NAME_TAKEN
 */
export async function openMachines(options: OpenMachinesOptions, how: "check" | "go on"): Promise<OpenMachines> {
  const { membership, clock, ownLog, epoch, participants } = options;
  const { machine, ...settings } = membership;
  const log = new MachineLog(options.log, clock);
  const transport = new NatsTransport({ settings, machine, clock, log: ownLog });
  try {
    if (how === "check") await reached(transport, shownUrl(membership.url), clock);
    const { log_id: logId } = await log.read("log.machines", {});
    const machines = new Machines({ machine, logId, epoch, transport, log, clock, ownLog, participants });
    if (how === "check") await claimed(machines, shownUrl(membership.url));
    await log.perform("log.joined", { machine });
    return {
      url: shownUrl(membership.url),
      get state() {
        return transport.state;
      },
      get problem() {
        return machines.problem;
      },
      start: () => machines.start(),
      take: (effects) => machines.take(effects),
      list: () => machines.list(),
      close: (end) => machines.close(end),
    };
  } catch (error) {
    await transport.close();
    throw error;
  }
}

/** This machine is alone again, for the log. */
export async function leaveLog(log: LogOfLeader, clock: Clock): Promise<void> {
  await new MachineLog(log, clock).perform("log.joined", { machine: undefined });
}

/** The server may refuse this, or not answer. */
async function claimed(machines: Machines, url: string): Promise<void> {
  try {
    await machines.claim();
  } catch (error) {
    if (isWarrenError(error)) throw error;
    const problem = `the name "${machines.machine}" cannot be written there: ${messageOf(error)}`;
    throw transportUnreachable(url, problem, "warren mail join URL --machine NAME      # as its user may");
  }
}

function reached(transport: Transport, url: string, clock: Clock): Promise<void> {
  return new Promise((resolve, reject) => {
    const late = clock.timer(REACHED_MS, () =>
      reject(transportUnreachable(url, "nobody answers", "warren mail join nats://HOST:4222")),
    );
    transport.onState((state) => {
      if (state.kind === "connected") resolve();
      else if (state.problem !== undefined) reject(transportUnreachable(url, state.problem, state.fix ?? ""));
      else return;
      late();
    });
  });
}

import type { HubStatus } from "../../src/protocol/hub-control.ts";
import type { TemporaryHome } from "./home.ts";
import type { Running } from "./warren.ts";

/** `warren hub` of a home that is there; it ends with the home. */
export interface HubProcess {
  running: Running;
  facts: HubFacts;
  /** For who is on this host. */
  address: string;
}

export type HubFacts = Pick<HubStatus, "port" | "key" | "pid" | "fingerprint" | "addresses">;

const DEADLINE_MS = 600_000;

export interface HubProcessOptions {
  /** Default: a free one. */
  port?: number;
  /** Default: open, so that whoever comes is let in. */
  args?: readonly string[];
  /** A hub that was started so long ago is killed: nobody is there any more to end it. */
  deadlineMs?: number | undefined;
}

export async function startHub(
  house: TemporaryHome,
  { port = 0, args = ["--open"], deadlineMs = DEADLINE_MS }: HubProcessOptions = {},
): Promise<HubProcess> {
  const running = house.start(["hub", "--port", String(port), "--json", ...args], { deadlineMs });
  const facts = JSON.parse(await running.shows(/\}\n/)) as HubFacts;
  return { running, facts, address: `http://127.0.0.1:${facts.port}` };
}

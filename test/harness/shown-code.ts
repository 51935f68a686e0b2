import type { Installation } from "./build-copy.ts";
import type { TemporaryHome } from "./home.ts";
import type { Running } from "./warren.ts";

/** A code that lets in the first who has it, and the command that shows it and waits. */
export interface ShownCode {
  /** For `warren pair` and for the app of any hub. */
  code: string;
  /** The same, as the address of the hub's page. */
  link: string;
  pairing: Running;
}

const DEADLINE_MS = 300_000;

export interface ShownCodeOptions {
  /** Default: as `warren pair` has it. */
  scopes?: string | undefined;
  args?: readonly string[];
  from?: Installation;
}

/** The machine is that of `house`; its person says yes. */
export async function showCode(
  house: TemporaryHome,
  hub: string,
  { scopes, args = [], ...from }: ShownCodeOptions = {},
): Promise<ShownCode> {
  const rights = scopes === undefined ? [] : ["--scopes", scopes];
  const all = ["pair", "--hub", hub, "--yes", "--json", ...rights, ...args];
  const pairing = house.start(all, { ...from, deadlineMs: DEADLINE_MS });
  const [line] = (await pairing.shows(/\n/)).split("\n");
  const { code, link } = JSON.parse(line!) as { code: string; link: string };
  return { code, link, pairing };
}

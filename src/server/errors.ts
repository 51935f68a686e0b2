import { WarrenError } from "../protocol/errors.ts";
import type { Scope } from "../protocol/messages.ts";
import { quoteWord } from "../protocol/quote-word.ts";

/** What a server refuses before any domain is asked. */

export const notPrimary = (server: string, primary: string | undefined): WarrenError =>
  new WarrenError(
    "NOT_PRIMARY",
    `${server} does not have the jobs of this home${primary ? `; ${primary} does` : ""}.`,
    {
      fix: "warren servers",
      ...(primary ? { detail: { primary } } : {}),
    },
  );

export const protocolMismatch = (
  server: string,
  mine: { min: number; max: number },
  theirs: { min: number; max: number },
): WarrenError => {
  const clientIsOld = theirs.max < mine.min;
  return new WarrenError(
    "PROTOCOL_MISMATCH",
    clientIsOld
      ? `This warren command is too old for the server ${server} (protocol ${theirs.max}; the server speaks ${rangeOf(mine)}).`
      : `The server ${server} is too old for this warren command (protocol ${mine.max}; the command speaks ${rangeOf(theirs)}).`,
    {
      fix: clientIsOld ? "npm install -g warren@latest" : `warren reload ${server}`,
      detail: { server: mine, client: theirs },
    },
  );
};

/** The name of a server that has ended is given to another: who dialled it by its socket's path meant the former one. */
export const otherBuild = (server: string, mine: string, meant: string): WarrenError =>
  new WarrenError("OTHER_BUILD", `The server ${server} runs the build ${mine}, and ${meant} is meant.`, {
    fix: "warren servers",
    detail: { server: mine, client: meant },
  });

export const internal = (reason: string): WarrenError =>
  new WarrenError("INTERNAL", `Something failed inside Warren: ${reason}`, { fix: "warren status" });

const rangeOf = ({ min, max }: { min: number; max: number }): string => (min === max ? `${min}` : `${min} to ${max}`);

export const draining = (): WarrenError => new WarrenError("SERVER_ENDING", "The server is being replaced; ask again.");

export const noRunYet = (job: string): WarrenError =>
  new WarrenError("NO_RUN_YET", `Job ${job} has not run yet.`, { fix: `warren start ${job}` });

export const runNotFound = (run: string, job: string): WarrenError =>
  new WarrenError("RUN_NOT_FOUND", `run not found: ${run}`, { fix: `warren runs ${job}` });

/** Of a device, whose person can be told how it is given. */
export const scopeMissing = ({
  type,
  scope,
  scopes,
  by,
}: {
  type: string;
  scope: Scope;
  scopes: ReadonlySet<Scope>;
  by: string;
}): WarrenError => {
  const name = /^[\w.-]+$/.test(by) ? by : JSON.stringify(by);
  const wanted = SCOPE_ORDER.filter((one) => one === scope || scopes.has(one));
  const has = SCOPE_ORDER.filter((one) => scopes.has(one)).join(", ");
  return new WarrenError(
    "FORBIDDEN",
    `The device ${name} may not ${SCOPE_MEANS[scope]} on that machine (${type}): that takes ${scope}, and it has ${has}.`,
    {
      fix: `warren devices scopes ${quoteWord(by)} ${wanted.join(",")}      # on that machine`,
      detail: { scope },
    },
  );
};

const SCOPE_ORDER: readonly Scope[] = ["view", "type", "approve", "admin"];
/** What a device without it may not do, in words. */
const SCOPE_MEANS: Readonly<Record<Scope, string>> = {
  view: "look at anything",
  type: "type or send anything",
  approve: "answer what agents ask",
  admin: "start, stop or change anything",
};

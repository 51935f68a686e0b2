import { WarrenError } from "../../protocol/errors.ts";

/** Why this machine cannot join the others. */

export const nameTakenThere = (name: string, since: string, suggestion: string): WarrenError =>
  new WarrenError("MACHINE_NAME_TAKEN", `Another machine is called "${name}" (since ${since}).`, {
    fix: `warren mail join URL --machine ${suggestion}`,
    detail: { name },
  });

export const invalidMachineName = (name: string): WarrenError =>
  new WarrenError(
    "INVALID_NAME",
    `"${name.slice(0, 80)}" is no machine's name: 1 to 32 lower-case letters, digits and "-".`,
    { fix: "warren mail join URL --machine laptop" },
  );

export const alreadyJoined = (name: string, url: string): WarrenError =>
  new WarrenError("ALREADY_JOINED", `This machine has joined ${url} as "${name}".`, { fix: "warren mail leave" });

export const notJoinedYet = (): WarrenError =>
  new WarrenError("NOT_JOINED", "This machine has joined no other.", { fix: "warren mail join nats://HOST:4222" });

export const invalidUrl = (url: string): WarrenError =>
  new WarrenError("INVALID_URL", `"${url.slice(0, 200)}" is not the URL of a NATS server.`, {
    fix: "warren mail join nats://HOST:4222",
  });

export const invalidLogin = (url: string): WarrenError =>
  new WarrenError(
    "INVALID_URL",
    `What stands before the host of ${url.slice(0, 200)} has a "%" that is no code of a character.`,
    {
      fix: "warren mail join nats://ann:50%25off@HOST:4222      # %25 is a %",
    },
  );

export const transportUnreachable = (url: string, problem: string, fix: string): WarrenError =>
  new WarrenError("NATS_UNREACHABLE", `${url} cannot be used: ${problem}.`, { fix });

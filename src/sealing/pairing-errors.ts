import { WarrenError } from "../protocol/errors.ts";

/** Why a pairing code is not taken. None repeats the code, which is a secret while it lives. */

const ANOTHER = "warren pair, on the machine, shows a new code";

export const codeForeign = () =>
  new WarrenError("CODE_FOREIGN", "This is no pairing code of Warren.", { fix: ANOTHER });

export const codeCut = () =>
  new WarrenError("CODE_CUT", "This pairing code is cut off, or a character of it is wrong.", {
    fix: "copy or scan the whole code again",
  });

export const codeTooLong = (length: number, max: number) =>
  new WarrenError("CODE_TOO_LONG", `This pairing code has ${length} characters, and none has more than ${max}.`, {
    fix: ANOTHER,
  });

export const codeVersion = (version: number) =>
  new WarrenError("CODE_VERSION", `This pairing code has version ${version}, and this Warren knows version 1.`, {
    fix: version > 1 ? "update Warren here: it is the older one" : "update Warren on the machine: it is the older one",
  });

export const codeExpired = (agoSeconds: number) =>
  new WarrenError("CODE_EXPIRED", `This pairing code ended ${agoSeconds} s ago, by the clock of this device.`, {
    fix: ANOTHER,
  });

export const codeTooFar = (aheadSeconds: number) =>
  new WarrenError(
    "CODE_CLOCK_WRONG",
    `This pairing code ends in ${aheadSeconds} s, and none lives so long: the clock of the machine or of this device is wrong.`,
    { fix: "set both clocks, then warren pair again" },
  );

export const codeWithoutHub = () =>
  new WarrenError(
    "CODE_WITHOUT_HUB",
    "This pairing code names no hub, so nobody knows where the machine is to be found.",
    { fix: "warren pair --hub https://ADDRESS" },
  );

export const codeAddress = (why: string) =>
  new WarrenError("CODE_ADDRESS", `The hub's address in this pairing code is refused: ${why}.`, {
    fix: "warren pair --hub https://ADDRESS",
  });

export const codeLoopback = () =>
  new WarrenError(
    "CODE_LOOPBACK",
    "This pairing code names an address that each device has for itself (localhost), so only the hub's own machine finds it.",
    { fix: "warren pair --hub with an address that this device can open" },
  );

import { WarrenError } from "../protocol/errors.ts";

/** Why a request that opens is still not carried out. */

export const otherTarget = () => new WarrenError("OTHER_TARGET", "This request is for another machine.");

export const deadlineOver = (byMs: number) =>
  new WarrenError("DEADLINE_OVER", `This came ${Math.ceil(byMs / 1000)} s after its deadline, and nothing was done.`, {
    fix: "ask again",
  });

export const deadlineTooFar = (what: string, maxMs: number) =>
  new WarrenError(
    "DEADLINE_TOO_FAR",
    `This ${what} would hold for longer than ${maxMs / 60_000} minutes, which none may.`,
  );

export const approvalUsed = () =>
  new WarrenError("APPROVAL_USED", "This question is not open any more: it was answered, or its agent has gone on.");

export const shownOtherwise = () =>
  new WarrenError("SHOWN_OTHERWISE", "What was approved is not what is asked: tool, arguments or directory differ.", {
    fix: "look at the question again",
  });

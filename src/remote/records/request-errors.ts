import { WarrenError } from "../../protocol/errors.ts";

/** Why a request of a record was not carried out, or what is not known of it: told to its device in the result. */

export const requestMissed = () =>
  new WarrenError(
    "REQUEST_BEFORE_MISSING",
    "What this device asked before this has not arrived; nothing was done, and nothing will be before that has come.",
    { fix: "ask again, after what was asked before it" },
  );

export const requestOvertaken = () =>
  new WarrenError(
    "REQUEST_OVERTAKEN",
    "The machine has gone on with what this device asked later, and does not go back; it was not done now.",
    { fix: "look at what is there, and ask again" },
  );

export const requestIdUsed = () =>
  new WarrenError("REQUEST_ID_USED", "This device has asked something else under the same id; nothing was done.", {
    fix: "ask again",
  });

export const requestsFull = (max: number) =>
  new WarrenError("REQUESTS_FULL", `${max} requests are kept here until their deadlines, and no more fit.`, {
    fix: "ask again when the machine is connected",
  });

export const requestUnsure = () =>
  new WarrenError(
    "REQUEST_UNSURE",
    "The machine ended while it carried this out, and came back too late to know: it was done, or it was not.",
    { fix: "look at what is there" },
  );

export const requestNotForRecords = (type: string) =>
  new WarrenError("REQUEST_NOT_POSSIBLE", `${type} needs a connection and cannot be left for later.`, {
    fix: "ask again when the machine is connected",
  });

export const approvalMissing = () =>
  new WarrenError("APPROVAL_MISSING", "An answer to an agent that is left for later has to name what it was shown.", {
    fix: "look at the question again, and answer there",
  });

export const resultTooLarge = (bytes: number) =>
  new WarrenError("RESULT_TOO_LARGE", `It was done; its answer of ${bytes} bytes does not fit a record.`, {
    fix: "ask again when the machine is connected",
  });

export const resultGone = () =>
  new WarrenError("RESULT_GONE", "It was carried out before, and its answer is not kept any more.");

export const requestSlow = (seconds: number) =>
  new WarrenError("REQUEST_SLOW", `No answer came within ${seconds} s; it may have been done.`, {
    fix: "look at what is there",
  });

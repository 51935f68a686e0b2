import { WarrenError } from "../../protocol/errors.ts";
import { UNREAD_MAX } from "./limits.ts";

/** What the log refuses of addresses on other machines, and why. */

export const notJoined = (address: string): WarrenError =>
  new WarrenError("NOT_JOINED", `"${address}" is on another machine, and this one has joined no other.`, {
    fix: "warren mail join nats://HOST:4222",
  });

export const machineUnknown = (machine: string, suggestion: string | undefined): WarrenError =>
  new WarrenError("MACHINE_UNKNOWN", `No machine is called "${machine}".`, {
    fix: suggestion === undefined ? "warren mail machines" : `warren mail send NAME@${suggestion} TEXT`,
    detail: suggestion === undefined ? {} : { suggestion },
  });

export const machineFull = (machine: string, waiting: number): WarrenError =>
  new WarrenError(
    "MAILBOX_FULL",
    `${waiting} messages wait for the machine "${machine}", which has not taken them; more than ${UNREAD_MAX} are not kept for one.`,
    { fix: "warren mail machines", detail: { machine, waiting } },
  );

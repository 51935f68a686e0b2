import { WarrenError } from "../../protocol/errors.ts";

export const faultsRefused = (server: string): WarrenError =>
  new WarrenError(
    "FAULTS_REFUSED",
    `${server} commits no faults: only a server that was started with WARREN_FAULTS=1 does.`,
    { fix: "WARREN_HOME=$(mktemp -d) WARREN_FAULTS=1 warren ping      # a home of its own, with such a server" },
  );

export const clientNotFound = (id: number, known: readonly number[]): WarrenError =>
  new WarrenError(
    "CLIENT_NOT_FOUND",
    `There is no client ${id}; ${known.length > 0 ? `there are ${known.join(", ")}` : "there are none"}.`,
    { fix: "warren debug clients" },
  );

export const tooManyDebugClients = (max: number): WarrenError =>
  new WarrenError("TOO_MANY_CLIENTS", `The debug socket has ${max} clients already.`);

export const debugLineTooLong = (maxBytes: number): WarrenError =>
  new WarrenError("LINE_TOO_LONG", `A line is longer than ${maxBytes} bytes; the connection is closed.`);

import { WarrenError } from "../protocol/errors.ts";

/** Why a session cannot be attached to, as far as the client finds it out by itself. */

export const serverSilent = (session: string, waitedMs: number, cause: unknown): WarrenError =>
  new WarrenError(
    "SERVER_SILENT",
    `The server of ${session} did not answer in ${waitedMs / 1000} s; the session itself goes on.`,
    {
      fix: "warren doctor",
      cause,
    },
  );

export const noFrames = (server: string | undefined): WarrenError =>
  new WarrenError(
    "NO_TERMINAL_FRAMES",
    `The server ${server ?? "of that session"} cannot show terminals: it is too old.`,
    {
      fix: `warren reload${server === undefined ? "" : ` ${server}`}`,
    },
  );

export const notOurProtocol = (said: string): WarrenError =>
  new WarrenError("NOT_A_SERVER", `What answers is no Warren server: it says ${JSON.stringify(said.slice(0, 60))}.`, {
    fix: "warren servers",
  });

export const brokenFrames = (server: string | undefined, count: number): WarrenError =>
  new WarrenError(
    "FRAMES_BROKEN",
    `The server ${server ?? "of that session"} sent ${count} times in a row what does not fit.`,
    { fix: `warren reload${server === undefined ? "" : ` ${server}`}` },
  );

import { suggest } from "../../protocol/suggest.ts";
import type { Problem } from "./page.ts";

/** What is said at the host of a session (`fox.localhost`) that cannot be asked. */

/** More names than these help nobody. */
const NAMES_SHOWN_MAX = 8;

export function noSession(name: string, names: readonly string[]): Problem {
  const near = suggest(name, names);
  const shown = names.slice(0, NAMES_SHOWN_MAX).map((one) => `${one}.localhost`);
  const more = names.length > shown.length ? ` and ${names.length - shown.length} more` : "";
  const others = shown.length === 0 ? "No session runs now." : `There are ${shown.join(", ")}${more}.`;
  return {
    status: 404,
    code: "NO_SESSION",
    title: `No session ${name} runs`,
    text: `${near === undefined ? others : `Did you mean ${near}.localhost?`} warren new --name ${name} starts one. A worker gets such a host when its worker.yaml says so: host: "*.localhost".`,
  };
}

/** Of a build that gave none, or all of them are taken. */
export const noSessionPort = (name: string): Problem => ({
  status: 503,
  code: "SESSION_WITHOUT_PORT",
  title: `${name} has no port`,
  text: `The session ${name} was started without a port of its own. It gets one when it is started anew: warren stop ${name}, then warren resume ${name}.`,
});

export const sessionsAreLocal = (): Problem => ({
  status: 403,
  code: "SESSIONS_ARE_LOCAL",
  title: "For this machine only",
  text: "What a session serves is shown on the machine where it runs, without a proxy in between.",
});

import { parentPort } from "node:worker_threads";
import { systemClock } from "../../platform/clock.ts";
import { yieldToOthers } from "../../platform/thread-priority.ts";
import type { ScreenRequest } from "./screen-messages.ts";
import { ScreenSet } from "./screen-set.ts";

/** The thread in which the screens of a server's sessions are made: it follows their journals by itself, so that nothing that they write stalls the server. */
const port = parentPort;
if (port) {
  yieldToOthers(); // a picture is worth less than a key's echo
  const screens = new ScreenSet({ say: (answer) => port.postMessage(answer), clock: systemClock });
  port.on("message", (request: ScreenRequest) => screens.take(request));
}

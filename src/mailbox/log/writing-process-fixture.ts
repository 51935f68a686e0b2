import { silentLog } from "../../platform/log.ts";
import { by, leader } from "./log-fixture.ts";
import { MailLog } from "./mail-log.ts";

/**
 * A process that writes until it is killed: `node writing-process-fixture.ts LOG FIRST COUNT IN_FLIGHT`. Each answered message's id is a line of its
 * standard output, written at once; then what it was refused with. Ends by itself after COUNT messages.
 */
const [path = "", first = "0", count = "1000000", inFlight = "16"] = process.argv.slice(2);
const log = await MailLog.open({ path, log: silentLog });
log.onLost((reason, error) => say(`lost ${reason} ${error.code}`));
await log.takeLead(leader());
say("leads");
let next = Number(first);
const end = next + Number(count);
await Promise.all(Array.from({ length: Number(inFlight) }, sender));
await log.close();

async function sender(): Promise<void> {
  while (next < end) {
    const number = next++;
    const id = `m${number}`;
    try {
      await log.perform({
        type: "mail.send",
        payload: { to: [`owl${number % 50}`, `bee${number % 50}`], body: "x".repeat(700), message_id: id },
        by: by("fox"),
        requestId: id,
        nowMs: Date.now(),
      });
      say(id);
    } catch (error) {
      say(`refused ${(error as { code?: string }).code}`);
      return;
    }
  }
}

function say(line: string): void {
  process.stdout.write(`${line}\n`); // at once: writing to a pipe waits
}

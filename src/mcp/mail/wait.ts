import * as z from "zod";
import { WarrenError } from "../../protocol/errors.ts";
import type { DataOf, PayloadOf } from "../../protocol/messages.ts";
import { CHANGES, defineTool } from "../tool.ts";
import { TimeoutSeconds, waiting, windowMs } from "../wait-window.ts";
import type { World } from "../world.ts";
import { askedId, awaitReply } from "./ask.ts";
import { fetchMail, inboxAnswer } from "./check.ts";
import { From, MaxCharacters, Thread } from "./fields.ts";
import { BODY_CHARACTERS, MessageView } from "./message-view.ts";

/** Messages of one answer, as in check. */
const COUNT = 10;

export const wait = defineTool({
  name: "wait",
  title: "Wait for mail",
  description:
    "Answers as soon as there is mail for you, with the messages, as check does; at most after 45 s with timed_out: call again when you still have nothing else to do. With the cursor of an ask it waits for that answer.",
  annotations: CHANGES,
  input: z.strictObject({
    timeout_s: TimeoutSeconds,
    cursor: z.string().optional().describe("Of an earlier ask or wait."),
    from: From,
    thread: Thread,
    max_chars: MaxCharacters,
  }),
  output: z.object({
    timed_out: z.boolean(),
    messages: z.array(MessageView),
    left: z.number().describe("Unread besides these."),
    cursor: z.string().describe("To go on waiting."),
    never: z.boolean().optional().describe("Of an ask: there will be no answer."),
  }),
  async run(world, { timeout_s, cursor, from, thread, max_chars = BODY_CHARACTERS }, call) {
    const asked = askedId(cursor);
    if (asked !== undefined) {
      const { data, text } = await awaitReply(world, call, { id: asked, timeoutS: timeout_s });
      const { result, messages, cursor: again } = data;
      const isNever = result === "never" ? { never: true } : {};
      return { data: { timed_out: result === "timed_out", messages, left: 0, cursor: again, ...isNever }, text };
    }
    if (cursor !== undefined && !/^inbox:\d{1,15}$/.test(cursor))
      throw new WarrenError("CURSOR_INVALID", `${JSON.stringify(cursor)} is no cursor of ours.`, {
        fix: "leave it out",
      });
    const filter = { ...(from === undefined ? {} : { from }), ...(thread === undefined ? {} : { thread }) };
    const totalMs = windowMs(timeout_s);
    const fetched = await waiting(world, call, { totalMs, message: "waiting for mail" }, () =>
      nextMail(world, filter, totalMs, call.signal),
    );
    const { data, text } = inboxAnswer(fetched, max_chars);
    const timedOut = fetched.messages.length === 0;
    return {
      data: { timed_out: timedOut, messages: data.messages, left: data.left, cursor: `inbox:${fetched.log_head}` },
      text: timedOut ? "No mail came; call wait again, or go on with something else." : text,
    };
  },
});

/**
 * Only looks while it waits, since the leader is not told of a call that was given up: a fetch that still waits there would take the next message for nobody.
 * When somebody else of this name was faster, it goes on waiting.
 */
async function nextMail(
  { mail, clock }: World,
  filter: Pick<PayloadOf<"mail.fetch">, "from" | "thread">,
  totalMs: number,
  signal: AbortSignal,
): Promise<DataOf<"mail.fetch">> {
  const untilMs = clock.monotonicMs() + totalMs;
  for (;;) {
    const leftMs = Math.max(0, Math.ceil(untilMs - clock.monotonicMs()));
    const look = await mail.speak("mail.fetch", { ...filter, limit: 1, peek: true, wait_ms: leftMs }, { signal });
    if (look.messages.length === 0) return look;
    const fetched = await fetchMail(mail, { ...filter, limit: COUNT }, { signal });
    if (fetched.messages.length > 0 || leftMs === 0) return fetched;
  }
}

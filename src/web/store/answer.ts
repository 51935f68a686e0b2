import type { NewItem } from "../../client/remote/outbox.ts";
import { WarrenError } from "../../protocol/errors.ts";
import { APPROVAL_LIFE_MS_MAX, shownHash } from "../../sealing/request.ts";
import { webCrypto } from "../../sealing/webcrypto.ts";
import type { Machine } from "../link/machine.ts";
import type { Question } from "../model/asked.ts";
import { askSession } from "./ask-session.ts";

/** An answer to an agent's question: live where its machine is there, else a sealed approval, which is good for what was shown alone. */
export interface AnswerOptions {
  machine: Machine;
  version: string;
  isLive: boolean;
  /** Where it waits for a machine that is away; undefined: this browser cannot leave anything for it. */
  outbox: { add(item: NewItem): Promise<unknown> } | undefined;
  question: Question;
  /** The option's own id. */
  choice: string;
  nowMs: number;
}

/** Whether it has arrived, or waits. @throws MACHINE_AWAY, and what the machine says */
export async function answer(options: AnswerOptions): Promise<"answered" | "waits"> {
  const { machine, version, isLive, outbox, question, choice } = options;
  const { session } = question;
  if (isLive) {
    await askSession({ machine, version }, session, "session.answer", {
      session,
      item_id: question.question.id,
      choice,
    });
    return "answered";
  }
  if (!outbox) throw away(machine.name);
  await outbox.add(await sealedAnswer(options));
  return "waits";
}

/** What goes into the outbox: bound to the question, the tool, its arguments and the directory as they were shown, and to ten minutes. */
async function sealedAnswer({
  machine,
  question: { session, question, tool, directory },
  choice,
  nowMs,
}: Pick<AnswerOptions, "machine" | "question" | "choice" | "nowMs">): Promise<NewItem> {
  const input = tool?.raw_input ?? null;
  const shown = await shownHash(webCrypto(), { tool: tool?.title ?? question.title, input, directory });
  return {
    machine: machine.id,
    unit: session,
    type: "session.answer",
    payload: { session, item_id: question.id, choice },
    approval: { shown, question: question.id, expires_ms: nowMs + APPROVAL_LIFE_MS_MAX },
    lifeMs: APPROVAL_LIFE_MS_MAX,
  };
}

const away = (name: string): WarrenError =>
  new WarrenError(
    "MACHINE_AWAY",
    `${name} cannot be reached, and nothing can be left for it. The question stays open.`,
  );

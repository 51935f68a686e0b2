import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { replaceFile } from "../platform/replace-file.ts";
import { systemCode } from "../protocol/errors.ts";
import type { ConversationCheckpoint } from "./agents/checkpoint.ts";
import type { QueuedPrompt, QueueStore } from "./agents/prompt-queue.ts";
import type { JournalPosition } from "./journal/journal-reader.ts";

/**
 * What an agent's session keeps beside its journal: the conversation up to a place of it, so that a new generation need not fold everything, and the
 * prompts that wait. The first can be made again from the journal, the second cannot.
 */
export interface KeptConversation {
  format: 1;
  /** Up to where it was folded. */
  position: JournalPosition;
  conversation: ConversationCheckpoint;
}

const CONVERSATION_FILE = "conversation.json";
const QUEUE_FILE = "queue.json";

/** Undefined when there is none, or a newer Warren wrote it, or it is damaged: then the journal is folded from its beginning. */
export async function readConversation(directory: string): Promise<KeptConversation | undefined> {
  const kept = await readJson<KeptConversation>(join(directory, CONVERSATION_FILE));
  return kept?.format === 1 && kept.conversation?.format === 1 ? kept : undefined;
}

/** Resolves with its length. */
export async function writeConversation(directory: string, kept: KeptConversation): Promise<number> {
  const text = `${JSON.stringify(kept)}\n`; // now: the conversation goes on
  await replaceFile(join(directory, CONVERSATION_FILE), text);
  return text.length;
}

/** Takes it away when it knows more than the journal, whose end a power cut has taken. */
export async function dropConversationAhead(directory: string, journal: { output: number; input: number }) {
  const kept = await readConversation(directory);
  if (!kept) return;
  const { agent, client } = kept.conversation;
  if (agent.position > journal.output || client.position > journal.input)
    await rm(join(directory, CONVERSATION_FILE), { force: true });
}

/** Saves are done one after the other, and each is on the disk when it resolves. */
export async function openQueue(directory: string): Promise<QueueStore> {
  const path = join(directory, QUEUE_FILE);
  const kept = await readJson<{ format: 1; prompts: QueuedPrompt[] }>(path);
  let saving: Promise<void> = Promise.resolve();
  return {
    prompts: kept?.format === 1 ? kept.prompts : [],
    save(prompts) {
      const text = `${JSON.stringify({ format: 1, prompts })}\n`;
      saving = saving.catch(() => {}).then(() => replaceFile(path, text));
      return saving;
    },
  };
}

async function readJson<T extends object>(path: string): Promise<T | undefined> {
  try {
    const value: unknown = JSON.parse(await readFile(path, "utf8"));
    return typeof value === "object" && value !== null ? (value as T) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || systemCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

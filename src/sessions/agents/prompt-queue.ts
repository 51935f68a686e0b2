import type { ContentBlock } from "../../protocol/conversation.ts";
import * as errors from "./agent-errors.ts";
import { asFields, type Fields } from "./json-rpc.ts";

export interface QueuedPrompt {
  requestId: string;
  blocks: ContentBlock[];
  /** Who says it. */
  by?: string;
}

/** Where prompts that wait for their turn are kept, so that the next server still has them. */
export interface QueueStore {
  /** What was saved last. */
  prompts: readonly QueuedPrompt[];
  save(prompts: readonly QueuedPrompt[]): Promise<void>;
}

/** Prompts that wait; past it, AGENT_BUSY. */
export const QUEUE_MAX = 16;
/** A prompt in one line to the agent: what the keeper takes in one piece, with room for the rest of the line. */
const PROMPT_BYTES_MAX = 3 * 1024 * 1024;

/** Prompts for which the agent has no time yet, in order. */
export class PromptQueue {
  readonly #store: QueueStore;
  #prompts: QueuedPrompt[];
  #saving: Promise<void> = Promise.resolve();

  constructor(store: QueueStore) {
    this.#store = store;
    this.#prompts = [...store.prompts];
  }

  get first(): QueuedPrompt | undefined {
    return this.#prompts[0];
  }

  get prompts(): readonly QueuedPrompt[] {
    return this.#prompts;
  }

  has(requestId: string): boolean {
    return this.#prompts.some((prompt) => prompt.requestId === requestId);
  }

  /** @throws AGENT_BUSY */
  async add(prompt: QueuedPrompt): Promise<void> {
    if (this.#prompts.length >= QUEUE_MAX) throw errors.agentBusy(this.#prompts.length);
    this.#prompts.push(prompt);
    await this.#save();
  }

  /** Resolves when what was changed by now is saved, or could not be. */
  settled(): Promise<void> {
    return this.#saving;
  }

  async remove(wanted: (prompt: QueuedPrompt) => boolean): Promise<QueuedPrompt[]> {
    const removed = this.#prompts.filter(wanted);
    if (removed.length === 0) return [];
    this.#prompts = this.#prompts.filter((prompt) => !wanted(prompt));
    await this.#save();
    return removed;
  }

  #save(): Promise<void> {
    const saved = this.#store.save([...this.#prompts]);
    this.#saving = Promise.allSettled([this.#saving, saved]).then(() => {});
    return saved;
  }
}

/** Refuses what the agent could not take. */
export function checkPrompt(blocks: readonly ContentBlock[], capabilities: Fields | null | undefined): void {
  const hasContent = blocks.some(({ type, text }) => type !== "text" || (text ?? "").trim() !== "");
  if (!hasContent) throw errors.promptEmpty();
  const bytes = Buffer.byteLength(JSON.stringify(blocks));
  if (bytes > PROMPT_BYTES_MAX) throw errors.promptTooLong(bytes, PROMPT_BYTES_MAX);
  if (!capabilities) return; // not known yet
  const takes = asFields(capabilities.promptCapabilities) ?? {};
  const refused = blocks.find(({ type }) => OPTIONAL.has(type) && takes[OPTIONAL.get(type) ?? ""] !== true);
  if (refused) throw errors.promptUnsupported(refused.type);
}

/** Content that an agent must have said that it takes; text and resource_link every one does. */
const OPTIONAL: ReadonlyMap<string, string> = new Map([
  ["image", "image"],
  ["audio", "audio"],
  ["resource", "embeddedContext"],
]);

import type { Message, Model, Step } from "./model.ts";

/** Puts one line into the status bar; it goes after three seconds (effects.ts) or when the next one comes. */
export function say(model: Model, text: string, level: Message["level"] = "info"): Step {
  const message: Message = { id: model.nextMessageId, text, level };
  return [{ ...model, message, nextMessageId: model.nextMessageId + 1 }, [{ kind: "expire-message", id: message.id }]];
}

/** What cannot be undone is done at the second press of its key; any other key, or the end of the message, forgets it. */
export function ask(model: Model, armed: NonNullable<Model["armed"]>, text: string): Step {
  return say({ ...model, armed }, text);
}

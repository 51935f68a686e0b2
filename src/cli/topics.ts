import { parseArguments } from "./arguments.ts";
import type { AnyCommand } from "./command.ts";
import type { Context } from "./context.ts";
import type { OnMachine } from "./on/on-machine.ts";
import { unknownTopic, withHelp } from "./usage-error.ts";

/** What a verb with parts does by the word behind it: `warren mail send …`. Each part is a command of its own, with its own flags and help. */
export interface Topic {
  name: string;
  /** One line, starting with a verb in the imperative. */
  summary: string;
  /** With `--on MACHINE`. Default: as the verb, where that is of this machine alone. */
  on?: OnMachine;
  load: () => Promise<AnyCommand>;
}

/** @throws USAGE and what the part throws */
export async function runTopic(
  context: Context,
  verb: string,
  topics: readonly Topic[],
  [word = "", ...args]: readonly string[],
): Promise<number> {
  const topic = topicNamed(verb, topics, word);
  const { machine } = context;
  if (machine && topic.on) {
    const { assertPossible } = await import("./on/possible.ts");
    assertPossible(topic.on, { name: `${verb} ${topic.name}`, args, machine: machine.name });
  }
  const command = await topic.load();
  const name = `${verb} ${topic.name}`;
  try {
    const parsed = parseArguments(name, command, args);
    if (parsed.kind === "input") return await command.run(context, parsed.input);
  } catch (error) {
    throw withHelp(error, name);
  }
  const { renderCommandHelp } = await import("./render/help.ts");
  const { output } = context;
  output.line(renderCommandHelp({ name, summary: topic.summary }, command, output.style));
  return 0;
}

/** @throws USAGE */
export function topicNamed(verb: string, topics: readonly Topic[], word: string): Topic {
  const topic = topics.find(({ name }) => name === word);
  if (topic) return topic;
  throw unknownTopic(
    verb,
    word,
    topics.map(({ name }) => name),
  );
}

/** The parts and what they do, a line each, for the help of the verb. */
export function topicLines(topics: readonly Topic[]): string {
  const width = Math.max(...topics.map(({ name }) => name.length));
  return topics.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`).join("\n");
}

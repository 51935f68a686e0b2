import { parseArgs } from "node:util";
import type { AnyCommand, Input, OperandKind, Operands, OptionSpec, OptionSpecs } from "./command.ts";
import { argumentsAtMost, unknownChoice, unknownFlag, usageError } from "./usage-error.ts";

/** What stands behind the verb on a command line, or the wish for help. */
export type Arguments = { kind: "help" } | { kind: "input"; input: Input };

const HELP: OptionSpec = { type: "boolean", short: "h", description: "show this help" };

/**
 * Reads the arguments of a verb. `util.parseArgs` cuts them into tokens; what they mean is decided here, so that an error names what was meant.
 * A command that takes a command line of somebody else's ends its own flags at the first operand or at `--`.
 * @throws USAGE
 */
export function parseArguments(verb: string, command: AnyCommand, args: readonly string[]): Arguments {
  const options: OptionSpecs = { ...command.options, help: HELP };
  const { tokens } = parseArgs({ args: [...args], options: bare(options), strict: false, tokens: true });
  const values: Input["values"] = {};
  const operands: string[] = [];
  for (const token of tokens) {
    if (token.kind === "option-terminator") {
      if (!command.takesCommand) continue;
      operands.push(...args.slice(token.index + 1));
      break;
    }
    if (token.kind === "positional") {
      if (command.takesCommand) {
        operands.push(...args.slice(token.index));
        break;
      }
      operands.push(token.value);
      continue;
    }
    readOption(verb, options, token, values);
  }
  if (values.help) return { kind: "help" };
  checkOperands(verb, command, operands);
  return { kind: "input", input: { values, operands } };
}

interface OptionToken {
  name: string;
  rawName: string;
  value: string | undefined;
  inlineValue: boolean | undefined;
}

function readOption(verb: string, options: OptionSpecs, token: OptionToken, values: Input["values"]): void {
  const spec = Object.hasOwn(options, token.name) ? options[token.name] : undefined;
  if (!spec) throw unknownFlag(token.rawName, verb, flagsOf(options));
  const value =
    spec.optional !== undefined && !token.inlineValue
      ? spec.optional
      : spec.type === "boolean"
        ? readBoolean(verb, token)
        : readString(verb, spec, token);
  const all = values as Record<string, unknown>;
  all[token.name] = spec.multiple ? [...((all[token.name] as unknown[] | undefined) ?? []), value] : value;
}

function readBoolean(verb: string, { rawName, inlineValue, value }: OptionToken): boolean {
  if (inlineValue) throw usageError(`${rawName} takes no value, got ${value}.`, `warren help ${verb}`);
  return true;
}

function readString(verb: string, spec: OptionSpec, { rawName, value, inlineValue }: OptionToken): string {
  const isFlag = !inlineValue && value !== undefined && value.length > 1 && value.startsWith("-");
  if (value === undefined || isFlag) {
    const got = isFlag ? `, got ${value} (write ${rawName}=${value} if that is meant)` : "";
    throw usageError(`${rawName} needs a value: ${spec.value ?? "VALUE"}${got}.`, `warren help ${verb}`);
  }
  if (spec.choices && !spec.choices.includes(value)) throw unknownChoice(rawName, value, spec.choices);
  return value;
}

function checkOperands(verb: string, command: AnyCommand, operands: readonly string[]): void {
  const { min, kinds } = command.operands;
  const max = command.takesCommand ? Number.POSITIVE_INFINITY : (command.operands.max ?? kinds.length);
  const fix = `warren help ${verb}`;
  if (operands.length < min) {
    const kind = command.takesCommand ? "command" : (kinds[operands.length] ?? kinds.at(-1)!);
    throw usageError(`${verb} needs ${wordOf(kind, command.operands)}: warren ${command.usage[0]}`, fix);
  }
  if (operands.length > max) {
    throw usageError(`${verb} takes ${argumentsAtMost(max)}, got ${operands[max]}: warren ${command.usage[0]}`, fix);
  }
}

/** What is missing, in words. */
function wordOf(kind: OperandKind | "command", { choices = [] }: Operands): string {
  switch (kind) {
    case "unit":
    case "session":
    case "saved-session":
      return "a name or id";
    case "job-name":
      return "a job's name";
    case "choice":
      return `one of ${choices.join(", ")}`;
    case "text":
    case "verb":
      return "a word";
    default:
      return `a ${kind}`;
  }
}

/** What parseArgs wants of the options and nothing else: it refuses keys that it does not know. */
function bare(
  options: OptionSpecs,
): Record<string, { type: "boolean" | "string"; short?: string; multiple?: boolean }> {
  return Object.fromEntries(
    Object.entries(options).map(([name, { type, short, optional }]) => [
      name,
      // What may stand alone must not swallow the argument behind it.
      { type: optional === undefined ? type : "boolean", ...(short ? { short } : {}) },
    ]),
  );
}

const flagsOf = (options: OptionSpecs): string[] => Object.keys(options).map((name) => `--${name}`);

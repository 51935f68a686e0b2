import type { AnyCommand, Input } from "../command.ts";
import { usageError } from "../usage-error.ts";

/** `--on MACHINE`, before the verb: the machine, and the command line without it. @throws USAGE */
export function takeOn(argv: readonly string[]): { on: string | undefined; rest: readonly string[] } {
  const [first, ...rest] = argv;
  if (first === "--on") {
    const [machine, ...behind] = rest;
    if (!machine || machine.startsWith("-"))
      throw usageError("--on needs a machine's name.", "warren --on MACHINE list");
    return { on: machine, rest: behind.length === 0 ? ["overview"] : behind };
  }
  if (first?.startsWith("--on=")) return takeOn(["--on", first.slice("--on=".length), ...rest]);
  return { on: undefined, rest: argv };
}

/**
 * `fox@laptop` among units means the same as `--on laptop … fox`: no unit's name holds an @. All of them have to be of one machine. Answers the
 * machine, and takes it off the operands; `on` where none of them says one.
 * @throws USAGE
 */
export function takeMachine(
  { operands: { kinds: usual, byChoice = {} } }: AnyCommand,
  input: Input,
  on: string | undefined,
): string | undefined {
  const [choice = ""] = input.operands;
  const kinds = Object.hasOwn(byChoice, choice) ? byChoice[choice]! : usual;
  const isUnit = (index: number): boolean => {
    const kind = kinds[Math.min(index, kinds.length - 1)];
    return kind === "unit" || kind === "session" || kind === "saved-session";
  };
  const machines = new Set<string | undefined>();
  const operands = input.operands.map((operand, index) => {
    const at = isUnit(index) ? operand.lastIndexOf("@") : -1;
    if (!isUnit(index)) return operand;
    machines.add(at > 0 && at < operand.length - 1 ? operand.slice(at + 1) : on);
    return at > 0 && at < operand.length - 1 ? operand.slice(0, at) : operand;
  });
  const [machine = on] = [...machines];
  if (machines.size > 1 || (machine !== on && on !== undefined))
    throw usageError("What one command is about is all of one machine.", "warren --on MACHINE … NAME NAME");
  if (machine !== undefined) input.operands = operands;
  return machine;
}

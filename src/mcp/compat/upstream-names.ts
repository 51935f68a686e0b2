import * as z from "zod";
import { WarrenError } from "../../protocol/errors.ts";
import { check } from "../mail/check.ts";
import { register } from "../mail/register.ts";
import { send } from "../mail/send.ts";
import type { AnyTool } from "../tool.ts";

/**
 * Tools whose names claude-ipc-mcp has too take its arguments besides ours, so that prompts that were written for it go on working. Who sends is known;
 * a `from_id` or `instance_id` of somebody else changes nothing.
 */
const Id = z.string().optional();

export const upstreamNames: readonly AnyTool[] = [
  accepting(register, { instance_id: Id }, ({ instance_id: name, ...rest }) => ({ name, ...rest })),
  accepting(send, { from_id: Id, to_id: Id, content: Id }, ({ from_id: _, to_id: to, content: text, ...rest }) => ({
    to,
    text,
    ...rest,
  })),
  accepting(check, { instance_id: Id }, ({ instance_id: _, ...rest }) => rest),
];

type Arguments = Record<string, unknown>;

/** The same tool with other arguments besides; `translate` makes them ours, and what is given in our words goes before. */
function accepting(tool: AnyTool, others: z.ZodRawShape, translate: (input: Arguments) => Arguments): AnyTool {
  return {
    ...tool,
    input: z.object({ ...tool.input.partial().shape, ...others }),
    run: (world, input, call) => tool.run(world, ours(tool, translate(defined(input))), call),
  };
}

const defined = (input: Arguments): Arguments =>
  Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined));

/** @throws INVALID_ARGUMENTS */
function ours({ name, input }: AnyTool, given: Arguments): Arguments {
  const parsed = input.safeParse(defined(given));
  if (parsed.success) return parsed.data;
  throw new WarrenError("INVALID_ARGUMENTS", `${name}: ${z.prettifyError(parsed.error).replaceAll("\n", " ")}`);
}

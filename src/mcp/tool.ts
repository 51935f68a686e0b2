import type { ToolAnnotations } from "@modelcontextprotocol/server";
import type * as z from "zod";
import type { World } from "./world.ts";

/**
 * What a tool is: a record, from which the list that a client sees, the checks of arguments and answers, and docs/mcp.md's table are made. An answer has
 * two forms: `data`, which fits `output`, and `text`, the same for whoever reads only text.
 */
export interface Tool<I extends z.ZodObject = z.ZodObject, O extends z.ZodObject = z.ZodObject> {
  name: string;
  title: string;
  /** For the model: when to use it, what comes back, what to do then. */
  description: string;
  annotations: ToolAnnotations;
  input: I;
  output: O;
  /** @throws WarrenError, which the client is told as a failed call */
  run(world: World, input: z.output<I>, call: Call): Promise<Answer<z.input<O>>>;
}

export interface Answer<D> {
  data: D;
  text: string;
}

/** One call of a tool. */
export interface Call {
  /** The client has given it up, or is gone. */
  signal: AbortSignal;
  /** Tells the client that it goes on, when it wants to know. */
  progress(doneMs: number, totalMs: number, message: string): void;
}

/** A tool whose types of input and output are forgotten, as the table holds it. */
export interface AnyTool extends Omit<Tool, "run"> {
  run(world: World, input: Record<string, unknown>, call: Call): Promise<Answer<Record<string, unknown>>>;
}

export const defineTool = <I extends z.ZodObject, O extends z.ZodObject>(tool: Tool<I, O>): AnyTool =>
  tool as unknown as AnyTool;

/** Annotations as tools share them; without one, a client has to think the worst. */
export const READS: ToolAnnotations = { readOnlyHint: true, destructiveHint: false, openWorldHint: false };
export const CHANGES: ToolAnnotations = { readOnlyHint: false, destructiveHint: false, openWorldHint: false };
export const DESTROYS: ToolAnnotations = { readOnlyHint: false, destructiveHint: true, openWorldHint: false };

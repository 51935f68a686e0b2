import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TemporaryHome } from "./home.ts";

/** The agent of examples/agents that does what its prompt says. */
export const SCRIPTED = join(import.meta.dirname, "..", "..", "examples", "agents", "scripted.ts");

/** Puts it into a directory under a short name; what starts it there. */
export function scriptedAgentIn(directory: string): string {
  writeFileSync(join(directory, "agent.mjs"), `await import(${JSON.stringify(SCRIPTED)});\n`);
  return `${process.execPath} agent.mjs`;
}

/** A session of that name with it. */
export async function newScriptedAgent(house: TemporaryHome, name: string): Promise<void> {
  await house.run("new", "--detached", "--name", name, "--agent", scriptedAgentIn(house.dir));
}

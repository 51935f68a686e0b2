import type { LoopGuard } from "./loop-guard.ts";
import type { By, Effect } from "./operations.ts";
import type { Presences } from "./presences.ts";
import type { Statements } from "./statements.ts";

/** What is needed to look at the log for somebody. */
export interface Look {
  log: Statements;
  by: By;
  nowMs: number;
  presences: Presences;
}

/** What one operation works with, inside the transaction: it is carried out as a whole, or refused and nothing is left of it. */
export interface Turn extends Look {
  epoch: number;
  /** What is older was done by another leader. */
  ledSinceMs: number;
  guard: LoopGuard;
  newId: () => string;
  effects: Effect[];
  /** Of whom something has been settled, as recipient and sender: what waits behind it is looked for when the operation has succeeded. */
  settled: Set<string>;
  /** Called when the operation has succeeded: what it tells of its end, and what is kept in memory and must not outlive a refusal. */
  after: (() => void)[];
}

/** Further off than this, nobody is told of a moment to sweep: each sweep tells the next one. */
const DUE_TOLD_MS = 3_600_000;

/** Says when the log has to be looked at again. */
export function tellDue(turn: Turn, atMs: number): void {
  if (atMs - turn.nowMs > DUE_TOLD_MS) return;
  const told = turn.effects.find((effect) => effect.kind === "due");
  if (told) told.atMs = Math.min(told.atMs, atMs);
  else turn.effects.push({ kind: "due", atMs });
}

export function tellParticipant(turn: Turn, name: string): void {
  if (turn.effects.some((effect) => effect.kind === "participant" && effect.name === name)) return;
  turn.effects.push({ kind: "participant", name });
}

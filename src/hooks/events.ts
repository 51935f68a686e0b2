import { isWarrenError } from "../protocol/errors.ts";
import { blockAnswer, contextAnswer, type HookAnswer, NOTHING } from "./answer.ts";
import { deliver, type Wanted } from "./deliver.ts";
import { Gives } from "./gives.ts";
import type { HookInput } from "./hook-input.ts";
import type { HookSession, SessionRecord } from "./hook-session.ts";
import type { Introduced } from "./introduce.ts";
import type { LeaderWire } from "./leader-wire.ts";
import { recordNow } from "./record-now.ts";
import { hasMailInLog } from "./without-leader.ts";
import { deliveryOf, type HookWorld, openWire, speakingOf } from "./world.ts";

/** What is loaded when it is needed: it brings the whole client along, and starts processes. */
export interface Slow {
  introduce(input: HookInput, world: HookWorld, session: HookSession): Promise<Introduced | undefined>;
  startLeader(world: HookWorld): Promise<void>;
}

/** The usual events: mail since the last one is given, and what was given before is confirmed. */
export async function onEvent(
  input: HookInput,
  world: HookWorld,
  session: HookSession,
  loadSlow: () => Promise<Slow>,
): Promise<HookAnswer> {
  if (input.isSubagent) return NOTHING;
  if (input.event === "SessionStart") return onStart(input, world, session, loadSlow);
  let record = recordNow(world, session);
  if (!record && input.event === "UserPromptSubmit") {
    // The hooks were installed while the session ran.
    record = (await (await loadSlow()).introduce(input, world, session))?.record;
  }
  if (!record || record.stands_down) return NOTHING;
  if (input.event === "Stop") session.make();
  else session.becomesBusy();
  const wire = (await openWire(world, record)) ?? (await startedFor(record, { world, session, loadSlow }));
  const answer = wire === undefined ? NOTHING : await answerFrom(wire, { input, world, session, record, loadSlow });
  if (input.event === "Stop" && answer === NOTHING) session.becomesIdle();
  return answer;
}

/** Says who the agent is and who is there, and what has come meanwhile. Its user has not said anything: it is idle. */
async function onStart(
  input: HookInput,
  world: HookWorld,
  session: HookSession,
  loadSlow: () => Promise<Slow>,
): Promise<HookAnswer> {
  const introduced = await (await loadSlow()).introduce(input, world, session);
  if (!introduced) return NOTHING;
  const { record } = introduced;
  const { introductionText, mailText } = await import("./mail-text.ts");
  const who = introductionText(introduced.others, speakingOf(record));
  const wire = await openWire(world, record);
  try {
    const known = new Gives(session.dir).all();
    const wanted = { give: "anything", turn: "goes_on" } as const;
    const out = wire && (await deliver(deliveryOf(world, { wire, session, record }), wanted, known));
    if (!out) return contextAnswer("SessionStart", who);
    const text = `${who}\n\n${mailText(out.messages, out.left, speakingOf(record))}`;
    return contextAnswer("SessionStart", text, out.written);
  } finally {
    wire?.close();
    session.becomesIdle();
  }
}

interface At {
  input: HookInput;
  world: HookWorld;
  session: HookSession;
  record: SessionRecord;
  loadSlow: () => Promise<Slow>;
}

async function answerFrom(wire: LeaderWire, at: At): Promise<HookAnswer> {
  try {
    return await given(wire, at);
  } catch (error) {
    // The mailbox has forgotten that the name is ours, or is another one.
    if (!isWarrenError(error, "NAME_OWNED")) throw error;
    const again = await (await at.loadSlow()).introduce(at.input, at.world, at.session);
    if (!again) return NOTHING;
    return await given(wire, { ...at, record: again.record });
  } finally {
    wire.close();
  }
}

async function given(wire: LeaderWire, { input, world, session, record }: At): Promise<HookAnswer> {
  const delivery = deliveryOf(world, { wire, session, record });
  const out = await deliver(delivery, wantedAt(input), new Gives(session.dir).all(session.files()));
  if (!out) return NOTHING;
  const { mailText } = await import("./mail-text.ts");
  const text = mailText(out.messages, out.left, speakingOf(record));
  return input.event === "Stop" ? blockAnswer(text, out.written) : contextAnswer(input.event, text, out.written);
}

/** An agent that goes on since a hook has said so is let go: what has come since wakes it again, or waits for its next turn. */
function wantedAt({ event, isStopActive }: HookInput): Wanted {
  if (event === "Stop") return { give: isStopActive ? "nothing" : "worthwhile", turn: "over_unless_given" };
  return { give: event === "PostToolUse" ? "new" : "anything", turn: "goes_on" };
}

/** Nobody leads: nobody can have written since the last one ended, so that a look at the log is enough, and mostly not needed. */
async function startedFor(
  { name }: SessionRecord,
  { world, session, loadSlow }: Pick<At, "world" | "session" | "loadSlow">,
): Promise<LeaderWire | undefined> {
  if (!(await hasMailInLog(name, world.places, session))) return undefined;
  await (await loadSlow()).startLeader(world);
  return openWire(world, session.record()!);
}

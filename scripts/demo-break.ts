import { parseArgs } from "node:util";
import { randomOf } from "../test/harness/random.ts";
import { type Blow, plannedBlows, Striker } from "./demo-break/blows.ts";
import { countAll, livingOf } from "./demo-break/counts.ts";
import { House } from "./demo-break/house.ts";
import { blowLines, countLines, type Done, visitorLines } from "./demo-break/report.ts";
import { Story } from "./demo-break/story.ts";
import { Visitor } from "./demo-break/visitor.ts";

/**
 * `npm run demo:break [-- --blows 25] [--seed 7]`: plays the demo in a temporary home while its server, front and mail leader are killed and the server is
 * reloaded, and a visitor asks for the page without a pause. Counts what was lost, doubled or failed; exit status 1 if anything was.
 */
const { values } = parseArgs({
  options: { blows: { type: "string", default: "25" }, seed: { type: "string" } },
});
/** The question waits through this part of the blows; its answer meets the others. */
const PART_BEFORE_ANSWER = 0.8;
const STAGES = ["<h1>Hello.</h1>", "<h1>Nothing you start is lost.</h1>", "<title>Nothing you start is lost.</title>"];

async function main(blowCount: number, seed: number): Promise<number> {
  await using house = new House();
  await using story = new Story(house);
  await using visitor = new Visitor(await story.furnish(), STAGES);
  const before = await livingOf(house.client());
  const striker = new Striker(house);
  const done: Done[] = [];
  const strikeAll = async (blows: readonly { blow: Blow; afterMs: number }[]): Promise<void> => {
    for (const { blow, afterMs } of blows) {
      await new Promise((wake) => setTimeout(wake, afterMs));
      const [fox = "", owl = ""] = ["fox", "owl"].map((name) => story.states.get(name));
      const { pid, atMs } = await striker.strike(blow);
      done.push({ what: blow, pid, atMs, fox, owl });
    }
  };
  const blows = plannedBlows(blowCount, randomOf(seed));
  const answerAt = Math.ceil(blowCount * PART_BEFORE_ANSWER);
  await Promise.all([story.untilAsked(), strikeAll(blows.slice(0, answerAt))]);
  await Promise.all([story.answer(), strikeAll(blows.slice(answerAt))]);
  await visitor.end();

  const counts = await countAll(house, before);
  const lost = counts.flatMap((one) => one.lost).length;
  const doubled = counts.flatMap((one) => one.doubled).length;
  const failed = visitor.failures.length;
  const lines = [blowLines(done), countLines(counts), visitorLines(visitor)];
  for (const part of lines) console.log(`${part.join("\n")}\n`);
  console.log(`lost ${lost}, doubled ${doubled}, failed requests ${failed}   (--seed ${seed} strikes so again)`);
  return lost + doubled + failed > 0 || visitor.answered === 0 ? 1 : 0;
}

const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
try {
  process.exitCode = await main(Number(values.blows), seed);
} catch (error) {
  console.error(`--seed ${seed}: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}

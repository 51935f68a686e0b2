import { readFileSync } from "node:fs";
import type { Client } from "../../src/client/client.ts";
import type { ConversationItem } from "../../src/protocol/conversation.ts";
import { AGENTS } from "../demo-story.mjs";
import type { House } from "./house.ts";
import { QUESTION } from "./story.ts";

/** What must have happened, against what did: each effect of the story is counted where it took place, and not where it was ordered. */
export interface Count {
  what: string;
  wanted: number;
  lost: string[];
  doubled: string[];
}

const MAIL = [
  "fox → owl: please review site/page.html: it has a new headline",
  "owl → fox: npm test fails: the title still says Hello",
  "fox → owl: mended, please review it again",
  "owl → you: the new page is deployed",
];
/** The first is fox's; the others come by mail, which wraps them. */
const PROMPTS = [
  "Give the page a better headline.",
  ...MAIL.slice(0, 3).map((line) => line.slice(line.indexOf(":") + 2)),
];
const TOOL_CALLS = {
  fox: ["Read site/page.html", "Edit site/page.html", "Edit site/page.html", "mail", "mail"],
  owl: ["warren run npm test", "warren run npm test", QUESTION, "warren run echo", "mail", "mail"],
};
const RUNS = ["npm test: 1", "npm test: 0", "echo: 0"];

export async function countAll(house: House, before: readonly string[]): Promise<Count[]> {
  const client = house.client();
  const conversations = new Map<string, ConversationItem[]>();
  for (const name of AGENTS)
    conversations.set(name, (await client.request("session.conversation", { session: name })).conversation.items);
  const items = [...conversations.values()].flat();
  const calls = Object.entries(TOOL_CALLS).flatMap(([name, titles]) => titles.map((title) => `${name}: ${title}`));
  return [
    compared("prompts that reached an agent", PROMPTS, promptsIn(house.promptLog)),
    compared("turns that ended as they should", Array(4).fill("end_turn"), turnsIn(items)),
    compared("commands, edits and questions of agents", calls, callsIn(conversations)),
    compared("questions answered", [QUESTION], answersIn(items)),
    compared("messages in the mailbox", MAIL, await mailOf(house.mailClient())),
    compared("runs that owl started", RUNS, await runsOf(client)),
    compared("processes that go on: sessions, jobs", before, await livingOf(client)),
  ];
}

/** Sessions and jobs that are meant to stay, by pid: none may end, nor be started again. */
export async function livingOf(client: Client): Promise<string[]> {
  const { sessions } = await client.request("session.list", {});
  const { jobs } = await client.request("list", {});
  return [...sessions, ...jobs.filter(({ status, name }) => status === "running" && name !== undefined)].map(
    ({ name, pid }) => `${name} ${pid}`,
  );
}

function compared(what: string, wanted: readonly string[], found: readonly string[]): Count {
  const extra = [...found];
  const lost = wanted.filter((one) => {
    const at = extra.indexOf(one);
    if (at >= 0) extra.splice(at, 1);
    return at < 0;
  });
  return { what, wanted: wanted.length, lost, doubled: extra };
}

function promptsIn(path: string): string[] {
  const lines = readFileSync(path, "utf8").trimEnd().split("\n");
  const texts = lines.map((line) => (JSON.parse(line) as { text: string }).text);
  return texts.map((text) => PROMPTS.find((words) => text.includes(words)) ?? text);
}

const turnsIn = (items: readonly ConversationItem[]): string[] =>
  items.flatMap((item) => (item.kind === "turn" ? [item.stop_reason ?? item.state] : []));

function callsIn(conversations: ReadonlyMap<string, readonly ConversationItem[]>): string[] {
  return [...conversations].flatMap(([name, items]) =>
    items.flatMap((item) => (item.kind === "tool_call" ? [`${name}: ${shortTitle(item.title)}`] : [])),
  );
}

const shortTitle = (title = ""): string =>
  title.startsWith("warren mail send") ? "mail" : title.startsWith("warren run echo") ? "warren run echo" : title;

const answersIn = (items: readonly ConversationItem[]): string[] =>
  items.flatMap((item) => (item.kind === "permission" && item.state === "answered" ? [item.title] : []));

async function mailOf(client: Client): Promise<string[]> {
  const { messages } = await client.request("mail.history", { as: "you", limit: 100 });
  return messages.map(({ message }) => `${message.from} → ${message.addressed_to}: ${message.body}`);
}

async function runsOf(client: Client): Promise<string[]> {
  const { jobs } = await client.request("list", {});
  const ofOwl = jobs.filter(({ command }) => ["npm", "echo"].includes(command[0]!));
  const all = await Promise.all(
    ofOwl.map(async ({ id, command }) => {
      const { runs } = await client.request("runs", { job_id: id });
      const name = command[0] === "npm" ? command.join(" ") : command[0];
      return runs.map(({ outcome }) => `${name}: ${outcome && "status" in outcome ? outcome.status : outcome?.kind}`);
    }),
  );
  return all.flat();
}

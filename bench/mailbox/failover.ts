import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Client } from "../../src/client/client.ts";
import type { Bench, Case } from "../cases/case.ts";
import { sleep } from "../processes.ts";
import type { Row } from "../result.ts";
import { startMembers } from "./members.ts";
import { type Mailbox, openMailbox } from "./warren.ts";

const MEMBER_COUNTS = [1, 10];
const MEMBER_COUNTS_FULL = [1, 10, 100];
const KILLS = 200;
const QUICK_KILLS = 5;
const STOPS = 20;
const QUICK_STOPS = 2;
/** Of leader and standby together, and of hand-overs. */
const BOTHS = 20;
const QUICK_BOTHS = 2;
const GAP_MS = 50;
const HUNG_GAP_MS = 500;
const STANDBY_DEADLINE_MS = 20_000;

/**
 * The leader is killed, stopped or told to end, alone or with its standby, while one client sends without pause: from that moment until a send that was begun after it
 * is acknowledged.
 */
export const failover: Case = {
  name: "failover",
  async run(bench) {
    const rows: Row[] = [];
    for (const count of bench.full ? MEMBER_COUNTS_FULL : MEMBER_COUNTS) rows.push(...(await gaps(bench, count)));
    return { title: "The leader dies: until the next send is acknowledged", rows, peers: [] };
  },
};

async function gaps(bench: Bench, memberCount: number): Promise<Row[]> {
  await using ending = new AsyncDisposableStack();
  const dir = join(bench.stage.dir, `mail-failover-${memberCount}`);
  await mkdir(dir, { recursive: true });
  const box = await openMailbox({ stage: bench.stage, dir, ending });
  ending.use(await startMembers(memberCount, { env: box.env, dist: join(bench.stage.checkout, "dist") }));
  const client = box.client();
  const killed: number[] = [];
  const stopped: number[] = [];
  for (let at = 0; at < (bench.quick ? QUICK_KILLS : KILLS); at++) killed.push(await gap(box, client, "SIGKILL"));
  for (let at = 0; at < (bench.quick ? QUICK_STOPS : STOPS); at++) stopped.push(await gap(box, client, "SIGSTOP"));
  const both: number[] = [];
  const ended: number[] = [];
  for (let at = 0; at < (bench.quick ? QUICK_BOTHS : BOTHS); at++) both.push(await gap(box, client, "both"));
  for (let at = 0; at < (bench.quick ? QUICK_BOTHS : BOTHS); at++) ended.push(await handover(box, client));
  const members = memberCount === 1 ? "1 member" : `${memberCount} members`;
  return [
    {
      what: `killed, ${members}`,
      unit: "ms",
      target: { atMost: GAP_MS, of: "p99" },
      measured: [{ subject: "warren", samples: killed }],
      note: `longest ${Math.max(...killed).toFixed(0)} ms.`,
    },
    {
      what: `stopped (SIGSTOP), ${members}`,
      unit: "ms",
      target: { atMost: HUNG_GAP_MS, of: "max" },
      measured: [{ subject: "warren", samples: stopped }],
    },
    { what: `killed with its standby, ${members}`, unit: "ms", measured: [{ subject: "warren", samples: both }] },
    {
      what: `told to end (SIGTERM): the longest send, ${members}`,
      unit: "ms",
      measured: [{ subject: "warren", samples: ended }],
    },
  ];
}

/** Milliseconds. Begins when somebody is there to take over. */
export async function gap(box: Mailbox, client: Client, blow: NodeJS.Signals | "both"): Promise<number> {
  const { leader, standby } = await withStandby(box, client);
  await client.request(
    "mail.send",
    { as: "bench", to: ["nobody"], body: "before" },
    { timeoutMs: STANDBY_DEADLINE_MS },
  );
  if (blow === "both") process.kill(standby, "SIGKILL");
  process.kill(leader, blow === "both" ? "SIGKILL" : blow);
  const startMs = performance.now();
  await client.request("mail.send", { as: "bench", to: ["nobody"], body: "after" }, { timeoutMs: STANDBY_DEADLINE_MS });
  return performance.now() - startMs;
}

/** Milliseconds that the longest send takes while a leader that is told to end hands over. */
async function handover(box: Mailbox, client: Client): Promise<number> {
  const { leader } = await withStandby(box, client);
  const send = () =>
    client.request("mail.send", { as: "bench", to: ["nobody"], body: "on" }, { timeoutMs: STANDBY_DEADLINE_MS });
  const { epoch: before } = await send();
  process.kill(leader, "SIGTERM");
  for (let longestMs = 0; ; ) {
    const startMs = performance.now();
    const { epoch } = await send();
    longestMs = Math.max(longestMs, performance.now() - startMs);
    if (epoch !== before) return longestMs;
  }
}

/** The pids of both, once the standby waits to take the leader's place. */
async function withStandby(box: Mailbox, client: Client): Promise<{ leader: number; standby: number }> {
  const deadlineMs = performance.now() + STANDBY_DEADLINE_MS;
  for (;;) {
    const { status } = await client.request("mail.status", {});
    const standby = status.members.find(({ kind, pid }) => kind === "standby" && pid !== undefined)?.pid;
    if (standby !== undefined && standby !== status.leader.pid) return { leader: status.leader.pid, standby };
    if (performance.now() > deadlineMs) throw new Error(`no standby: processes ${box.pids().join(" ")}`);
    await sleep(10);
  }
}

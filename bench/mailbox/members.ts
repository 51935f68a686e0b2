import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { MailMember } from "../../src/local/mail-member.ts";
import { readBuild } from "../../src/platform/build.ts";
import { resolvePlaces } from "../../src/platform/paths.ts";

/** Members of a mailbox, each with a connection of its own, `perProcess` of them in a process: they hear of the leader's death and come back. */
const PER_PROCESS_MAX = 10;

export interface Members extends AsyncDisposable {
  count: number;
}

export async function startMembers(
  count: number,
  { env, dist }: { env: NodeJS.ProcessEnv; dist: string },
): Promise<Members> {
  const children: ChildProcess[] = [];
  const perProcess = count <= PER_PROCESS_MAX ? 1 : PER_PROCESS_MAX;
  for (let left = count; left > 0; left -= perProcess) {
    const args = [import.meta.filename, String(Math.min(perProcess, left)), dist];
    const child = spawn(process.execPath, args, { env, stdio: ["pipe", "pipe", "inherit"] });
    children.push(child);
    await once(child.stdout!, "data"); // "ready"
  }
  return {
    count,
    async [Symbol.asyncDispose]() {
      const left = children.splice(0); // a second time, nothing
      const ends = left.map((child) => once(child, "close"));
      for (const child of left) child.stdin!.end();
      await Promise.all(ends);
    },
  };
}

async function beMembers(count: number, dist: string): Promise<void> {
  const { env } = process;
  const options = { places: resolvePlaces(env), build: readBuild(dist), env, kind: "serve" };
  const members = Array.from({ length: count }, () => new MailMember(options));
  for (const { client } of members) await client.request("mail.ping", {});
  process.stdout.write("ready\n");
  process.stdin.resume();
  await once(process.stdin, "end");
  for (const member of members) member.close();
  process.exit();
}

if (process.argv[1] === import.meta.filename) await beMembers(Number(process.argv[2]), process.argv[3]!);

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Bench } from "../cases/case.ts";
import type { Stage } from "../stage.ts";
import { claudeIpc } from "./claude-ipc.ts";
import { nats } from "./nats.ts";
import type { MailKind, MailPeer } from "./peer.ts";
import { redis } from "./redis.ts";
import { warren } from "./warren.ts";

const KINDS: readonly MailKind[] = [warren, nats, redis, claudeIpc];

export const mailPeerNames = KINDS.filter((kind) => kind !== warren).map(({ name }) => name);

export async function mailVersions(stage: Stage, say: (line: string) => void): Promise<string[]> {
  const versions: string[] = [];
  for (const { name, version } of KINDS) {
    const found = await version(stage);
    if (found === undefined) say(`${name} is not installed: left out`);
    else versions.push(`${name} ${found}`);
  }
  return versions;
}

/** All that are installed run at once, and are ended afterwards; what is not asked does nothing. */
export async function withMailPeers<T>(
  { stage }: Bench,
  label: string,
  work: (peers: MailPeer[]) => Promise<T>,
): Promise<T> {
  await using ending = new AsyncDisposableStack();
  const peers: MailPeer[] = [];
  for (const kind of KINDS) {
    if ((await kind.version(stage)) === undefined) continue;
    const dir = join(stage.dir, `mail-${label}-${kind.name.replaceAll(/\W+/g, "-")}`);
    await mkdir(dir, { recursive: true });
    peers.push(await kind.start({ stage, dir, ending }));
  }
  return await work(peers);
}

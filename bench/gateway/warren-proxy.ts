import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type WarrenPeer, warrenPeer } from "../peers/warren.ts";
import { commandLines } from "../processes.ts";
import { markedPids, ownRuntime, type Stage } from "../stage.ts";
import { type Command, output } from "../timed.ts";
import { PROXY_CORE, pin } from "./process.ts";
import { FILE_BYTES, FILE_PATH, type ProxyKind, WEB_SOCKET_PATH } from "./proxy.ts";

/** The product as it is started by a user, its access log on; the front alone is pinned, and counted. */
export const warrenProxy: ProxyKind = {
  name: "warren",
  async version(stage) {
    const { version, hash } = JSON.parse(await readFile(join(stage.checkout, "dist", "build.json"), "utf8"));
    return `${version} (${hash})`;
  },
  async start({ stage, backend, label, isWithFile, ending }) {
    const { port, peer } = await warrenSite(stage, `gateway-${label}`, {
      "warren.yaml": "gateway: { mode: prod }\n",
      "workers/index/worker.yaml": `type: url\nurl: http://127.0.0.1:${backend.port}\n`,
      "workers/ws/worker.yaml": `type: url\npath: ${WEB_SOCKET_PATH}\nurl: http://127.0.0.1:${backend.webSocketPort}\n`,
      ...(isWithFile ? { [`server/public${FILE_PATH}`]: "w".repeat(FILE_BYTES) } : {}),
    });
    ending.defer(() => peer.down());
    const pids = frontPids(stage, peer);
    for (const pid of pids) await pin(stage, pid, PROXY_CORE);
    return { name: "warren", port, pids, hasFiles: true, hasWebSockets: true };
  },
};

export interface WarrenSite {
  peer: WarrenPeer;
  port: number;
  command(...args: string[]): Command;
}

/** A project with these files, by path, that is up on a port of its own. */
export async function warrenSite(
  stage: Stage,
  label: string,
  files: Readonly<Record<string, string>>,
): Promise<WarrenSite> {
  const peer = await warrenPeer(stage, label, { node: await ownRuntime(stage, label) });
  for (const [path, text] of Object.entries(files)) {
    const target = join(peer.project, path);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, text);
  }
  const command = (...args: string[]): Command => {
    const plain = peer.command(...args);
    return { ...plain, env: { ...plain.env, WARREN_GATEWAY_PORT: "0" } };
  };
  const { gateway } = JSON.parse(await output(command("up", "--json")));
  return { peer, port: gateway.port, command };
}

/** The front of this home. @throws when none runs */
function frontPids(stage: Stage, { home }: WarrenPeer): number[] {
  const pids = markedPids(stage.dir).filter((pid) => {
    const [line = ""] = commandLines([pid]);
    return line.includes("front.js") && line.includes(home);
  });
  if (pids.length === 0) throw new Error(`no front runs in ${home}`);
  return pids;
}

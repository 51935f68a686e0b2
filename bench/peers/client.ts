import { Client } from "../../src/client/client.ts";
import { dialUnix } from "../../src/local/unix-wire.ts";
import type { JobSpec } from "./peer.ts";
import type { WarrenPeer } from "./warren.ts";

/** A client of our own library on the server's socket: what a program pays that stays connected. */
export async function connect(warren: WarrenPeer): Promise<Client> {
  const socket = await warren.socket();
  let requestCount = 0;
  return new Client({
    dial: (events) => dialUnix(socket, events),
    name: "warren-bench",
    version: "0",
    randomId: () => `bench-${process.pid}-${performance.now()}-${requestCount++}`,
  });
}

/** Starts a job and answers its id. */
export async function addBy(client: Client, warren: WarrenPeer, { name, command }: JobSpec): Promise<string> {
  const env = Object.entries(warren.list.env).map(([key, value]) => `${key}=${value}`);
  const { job } = await client.request("add", {
    command: [...command],
    workdir: warren.project,
    project: warren.project,
    name,
    env,
  });
  return job.id;
}

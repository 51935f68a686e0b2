import type { Client } from "../../client/client.ts";

/**
 * A path on a machine, with its user's own directory in the place of `~`: the parent of Warren's home, as long as nobody has put that elsewhere.
 * @throws what the machine answers, since another directory than the one that is meant is none
 */
export async function wholePath(client: Pick<Client, "request">, path: string): Promise<string> {
  if (!/^~(?=\/|$)/.test(path)) return path;
  const { home } = await client.request("status", {});
  return home.replace(/\/[^/]*$/, "") + path.slice(1) || "/";
}

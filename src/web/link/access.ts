import { WarrenError } from "../../protocol/errors.ts";

/**
 * How this browser is let in: the link of `warren web` carries a token behind the `#`, which is exchanged once for a pass. The pass is kept for all tabs of this address, until the
 * program that gave it ends.
 */
export interface AccessWorld {
  location: Pick<Location, "hash" | "pathname">;
  history: Pick<History, "replaceState">;
  storage: Pick<Storage, "getItem" | "setItem" | "removeItem">;
  fetch: typeof fetch;
}

const KEY = "warren.pass";
const PASS_PATH = "/web/v1/pass";

/** The pass of the link, else the one that is kept; undefined when there is none. @throws LINK_USED */
export async function enter({ location, history, storage, fetch: ask }: AccessWorld): Promise<string | undefined> {
  const token = tokenIn(location.hash);
  if (token === undefined) return storage.getItem(KEY) ?? undefined;
  history.replaceState(null, "", location.pathname); // it is worth nothing any more, and is not to stand in a history
  const answer = await ask(PASS_PATH, { method: "POST", body: token, cache: "no-store" });
  if (answer.ok) {
    const pass = await answer.text();
    storage.setItem(KEY, pass);
    return pass;
  }
  const kept = storage.getItem(KEY);
  if (kept !== null) return kept;
  throw linkUsed();
}

export const forgetPass = (storage: Pick<Storage, "removeItem">): void => storage.removeItem(KEY);

export function tokenIn(hash: string): string | undefined {
  return new URLSearchParams(hash.replace(/^#/, "")).get("t") ?? undefined;
}

const linkUsed = (): WarrenError =>
  new WarrenError("LINK_USED", "This link was used already, or the program that gave it has ended.", {
    fix: "warren web",
  });

import { createInterface } from "node:readline/promises";

/** Whether somebody says yes. Ctrl-C, Ctrl-D and `signal` say no. */
export async function agrees(question: string, signal?: AbortSignal): Promise<boolean> {
  const asking = createInterface({ input: process.stdin, output: process.stdout });
  const closed = new AbortController();
  asking.once("close", () => closed.abort());
  try {
    const stop = signal ? AbortSignal.any([closed.signal, signal]) : closed.signal;
    return /^y(es)?$/i.test((await asking.question(question, { signal: stop })).trim());
  } catch {
    return false;
  } finally {
    asking.close();
  }
}

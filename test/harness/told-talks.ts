import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { TemporaryHome } from "./home.ts";
import { waitUntil } from "./wait-until.ts";

/** Everything of this conversation is at the one hub of `house`: what the machine has written down says so. */
export async function talkIsTold(house: TemporaryHome, session: string): Promise<void> {
  const { conversation, session: view } = await house.client().request("session.conversation", { session });
  const last = Math.max(0, ...conversation.items.map(({ seq }) => seq));
  const { remoteDir } = house.places;
  await waitUntil(
    () => {
      const [file] = readdirSync(remoteDir).filter((name) => /^space-.*\.json$/.test(name));
      if (file === undefined) return false;
      const { owed, talks = {} } = JSON.parse(readFileSync(join(remoteDir, file), "utf8"));
      return owed.length === 0 && (talks[view.id]?.seq ?? 0) >= last;
    },
    { what: `all that was said in ${session} is told`, everyMs: 50, deadlineMs: 60_000 },
  );
}

/** The same of so many messages of the person's mail. */
export async function mailIsTold({ places: { remoteDir } }: TemporaryHome, count: number): Promise<void> {
  const read = (name: string) => JSON.parse(readFileSync(join(remoteDir, name), "utf8"));
  await waitUntil(
    () => {
      const names = readdirSync(remoteDir);
      const file = names.find((name) => /^space-.*\.json$/.test(name));
      if (file === undefined || !names.includes("mail.json")) return false;
      const { seq, told } = read("mail.json");
      const { owed, talks = {} } = read(file);
      return Object.keys(told).length === count && owed.length === 0 && talks.mail?.mark === String(seq);
    },
    { what: `${count} messages are told`, everyMs: 50, deadlineMs: 60_000 },
  );
}

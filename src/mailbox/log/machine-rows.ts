import type { Participant, Presence } from "../../protocol/mail-units.ts";
import type { MachineCalls, MachineReads, MachineRow } from "./machine-calls.ts";
import type { Row, Statements } from "./statements.ts";
import { type Turn, tellParticipant } from "./turn.ts";

/** What this machine is called among the others, and what was heard of them last. */

export const ownMachine = (log: Statements): string | undefined => {
  const value = log.get("select value from meta where key = 'machine'")?.value;
  return value === undefined || value === null ? undefined : String(value);
};

export const machineRow = (log: Statements, name: string): Row | undefined =>
  log.get("select * from machines where name = ?", name);

export function joined(
  { log }: Turn,
  { machine }: MachineCalls["log.joined"]["payload"],
): MachineCalls["log.joined"]["data"] {
  if (machine === undefined) log.run("delete from meta where key = 'machine'");
  else log.run("insert or replace into meta (key, value) values ('machine', ?)", machine);
  log.run("update machines set is_here = 0");
  log.run("delete from arrivals where not exists (select 1 from messages where messages.seq = arrivals.seq)"); // pruned
  return { log_id: logId(log) };
}

export function heardOf(
  turn: Turn,
  { name, log_id, is_here, seen_ms, names }: MachineCalls["log.machine"]["payload"],
): MachineCalls["log.machine"]["data"] {
  const { log } = turn;
  log.run("insert or ignore into machines (name) values (?)", name);
  log.run(
    `update machines set log_id = coalesce(?, log_id), is_here = coalesce(?, is_here), seen_ms = coalesce(?, seen_ms),
     names = coalesce(?, names) where name = ?`,
    log_id,
    is_here === undefined ? undefined : Number(is_here),
    seen_ms,
    names === undefined ? undefined : JSON.stringify(names),
    name,
  );
  if (names !== undefined) for (const [each] of names) tellParticipant(turn, `${each}@${name}`);
  return { name };
}

export function machines({ log }: { log: Statements }): MachineReads["log.machines"]["data"] {
  const rows = log.all("select name, log_id, is_here, seen_ms, waiting from machines order by name");
  return { machine: ownMachine(log), log_id: logId(log), machines: rows.map(toMachineRow) };
}

const toMachineRow = (row: Row): MachineRow => ({
  name: String(row.name),
  log_id: row.log_id === null ? undefined : String(row.log_id),
  is_here: row.is_here === 1,
  seen_ms: row.seen_ms === null ? undefined : Number(row.seen_ms),
  waiting: Number(row.waiting),
});

const logId = (log: Statements): string => String(log.get("select value from meta where key = 'log_id'")?.value);

export const namesAt = (row: Row | undefined): [string, Presence][] =>
  row === undefined ? [] : (JSON.parse(String(row.names)) as [string, Presence][]);

/** Where else somebody is called so, when that is one machine alone. */
export function elsewhere(log: Statements, name: string): string | undefined {
  if (ownMachine(log) === undefined) return undefined;
  const rows = log.all(
    "select m.name from machines m where exists (select 1 from json_each(m.names) n where n.value ->> 0 = ?) limit 2",
    name,
  );
  return rows.length === 1 ? `${name}@${rows[0]!.name}` : undefined;
}

/** Those of other machines, as they were told last; of a machine that is away all are gone. */
export function participantsElsewhere(log: Statements): Participant[] {
  if (ownMachine(log) === undefined) return [];
  return log.all("select * from machines order by name").flatMap((row) => {
    const open = log.all(
      "select recipient, count(*) as count from outbox where machine = ? group by recipient",
      row.name as string,
    );
    const waiting = new Map(open.map(({ recipient, count }) => [String(recipient), Number(count)]));
    const known = new Map(namesAt(row).map(([name, presence]) => [`${name}@${row.name}`, presence]));
    return [...new Set([...known.keys(), ...waiting.keys()])].sort().map((name) => ({
      name,
      presence: row.is_here === 1 ? (known.get(name) ?? "gone") : "gone",
      owner: "nobody" as const,
      unread: waiting.get(name) ?? 0,
      groups: [],
    }));
  });
}

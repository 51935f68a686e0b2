import type { Session } from "../../protocol/units.ts";
import type { UnitRow } from "../../sealing/unit-row.ts";

/** What a list shows of a unit, of what the protocol says of it. */

/** A job or a worker. */
export interface ListedUnit {
  id: string;
  kind: string;
  name?: string;
  server?: string;
  state?: string;
  status?: string;
  command?: string[];
  description?: string;
  created_at?: string;
  started_at?: string;
  stopped_at?: string;
}

export const rowOfUnit = (unit: ListedUnit): UnitRow => ({
  id: unit.id,
  kind: unit.kind,
  name: unit.name ?? unit.command?.join(" ") ?? unit.id,
  state: unit.state ?? unit.status ?? "",
  ...defined("title", unit.description),
  ...defined("server", unit.server),
  ...defined("since", latest(unit.created_at, unit.started_at, unit.stopped_at)),
});

export const rowOfSession = (session: Session): UnitRow => ({
  id: session.id,
  kind: session.kind,
  name: session.name,
  icon: session.icon,
  state: session.state,
  ...defined("asks", session.attention),
  ...defined("title", session.title),
  server: session.server,
  ...defined("since", latest(session.started_at, session.stopped_at)),
});

const defined = <Name extends string>(name: Name, value: string | undefined): { [Key in Name]?: string } =>
  value === undefined ? {} : ({ [name]: value } as { [Key in Name]?: string });

/** RFC 3339 in UTC sorts as text. */
const latest = (...times: (string | undefined)[]): string | undefined =>
  times
    .filter((time) => time !== undefined)
    .sort()
    .at(-1);

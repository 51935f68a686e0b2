/** Where in the app somebody is: what stands behind the `#` of its address, so that back and forward are the browser's own. */
export type Route =
  | { page: (typeof PLAIN)[number] }
  | { page: "mail"; with?: string; machine?: string }
  | { page: "unit"; kind: "session" | "agent" | "job" | "worker"; id: string; machine?: string };

const PLAIN = ["units", "inbox", "new", "hubs", "pair", "devices", "settings", "outbox", "ended", "more"] as const;
const KINDS = ["session", "agent", "job", "worker"] as const;
/** Before a machine's id; without one it is the machine that serves this app. */
const MACHINE = "@";

export function routeOf(hash: string): Route {
  const parts = hash.replace(/^#\/?/, "").split("/").map(decoded);
  const machine = parts[0]?.startsWith(MACHINE) ? { machine: parts.shift()!.slice(MACHINE.length) } : {};
  const [first = "", ...rest] = parts;
  const id = rest.join("/");
  if (first === "mail") return { page: "mail", ...(id === "" ? {} : { with: id }), ...machine };
  const kind = KINDS.find((one) => one === first);
  if (kind !== undefined && id !== "") return { page: "unit", kind, id, ...machine };
  return { page: PLAIN.find((one) => one === first) ?? "units" };
}

export function hashOf(route: Route): string {
  switch (route.page) {
    case "units":
      return "#/";
    case "unit":
      return hashOfKey(keyOfUnit(route));
    case "mail":
      return hashOfKey(
        [...machinePart(route.machine), "mail", ...(route.with === undefined ? [] : [route.with])].join("/"),
      );
    default:
      return `#/${route.page}`;
  }
}

/** What a unit is called by everywhere in the app: machine, kind and id. */
export const keyOfUnit = ({ machine, kind, id }: { machine?: string; kind: string; id: string }): string =>
  [...machinePart(machine), kind, id].join("/");

/** The address of a unit's page, of its key. */
export const hashOfKey = (key: string): string => `#/${key.split("/").map(encodePart).join("/")}`;

const machinePart = (machine: string | undefined): string[] => (machine === undefined ? [] : [`${MACHINE}${machine}`]);

/** The mark of a machine is left as it is: it reads better. */
const encodePart = (part: string): string => encodeURIComponent(part).replace(/^%40/, MACHINE);

/** As it stands, where it is no encoding. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

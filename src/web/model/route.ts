/** Where in the app somebody is: what stands behind the `#` of its address, so that back and forward are the browser's own. */
export type Route =
  | { page: "units" }
  | { page: "inbox" }
  | { page: "mail"; with?: string }
  | { page: "new" }
  | { page: "unit"; kind: "session" | "agent" | "job" | "worker"; id: string };

const KINDS = ["session", "agent", "job", "worker"] as const;

export function routeOf(hash: string): Route {
  const [first = "", ...rest] = hash.replace(/^#\/?/, "").split("/").map(decoded);
  const id = rest.join("/");
  if (first === "inbox" || first === "new") return { page: first };
  if (first === "mail") return id === "" ? { page: "mail" } : { page: "mail", with: id };
  const kind = KINDS.find((one) => one === first);
  return kind !== undefined && id !== "" ? { page: "unit", kind, id } : { page: "units" };
}

export function hashOf(route: Route): string {
  switch (route.page) {
    case "units":
      return "#/";
    case "unit":
      return `#/${route.kind}/${route.id.split("/").map(encodeURIComponent).join("/")}`;
    case "mail":
      return route.with === undefined ? "#/mail" : `#/mail/${encodeURIComponent(route.with)}`;
    default:
      return `#/${route.page}`;
  }
}

/** As it stands, where it is no encoding. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

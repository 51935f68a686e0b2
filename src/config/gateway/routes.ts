import type { FrontRoute } from "../../protocol/front-messages.ts";
import type { ConfiguredWorker, GatewayConfig } from "./gateway-config.ts";

/** The routes of a project as its front goes by them: those of its workers, each with its own rules, then the project's. */
export const routesOf = ({ workers, rules }: Pick<GatewayConfig, "workers" | "rules">): FrontRoute[] => [
  ...workers.flatMap(routesOfWorker),
  ...rules,
];

export function routesOfWorker({ name, path, hosts, methods, strip, rules }: ConfiguredWorker): FrontRoute[] {
  const route = { path, ...(methods && { methods: [...methods] }), kind: "worker", worker: name, strip } as const;
  const own: FrontRoute[] = hosts.length === 0 ? [route] : hosts.map((host) => ({ host, ...route }));
  return [...own, ...rules];
}

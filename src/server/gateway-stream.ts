import type { GatewayEvent } from "../gateway/event-file.ts";
import type { Gateways } from "../gateway/gateways.ts";
import type { EventSource, RoutedEvent } from "../serving/subscriptions.ts";
import { notPrimary } from "./errors.ts";

/** The stream `gateway`: what happens to workers and their versions. */
export function gatewaySource(gateways: () => Gateways | undefined): EventSource {
  const here = (): Gateways => {
    const found = gateways();
    if (!found) throw notPrimary("this server", undefined);
    return found;
  };
  return {
    snapshot: () => here().snapshot(),
    after: (seq, limit) => here().events.after(seq, limit)?.map(routedGatewayEvent),
  };
}

export const routedGatewayEvent = ({ seq, type, at, dir, data }: GatewayEvent): RoutedEvent => ({
  workdir: dir,
  event: { event: type, stream: "gateway", seq, at, data: { dir, ...data } },
});

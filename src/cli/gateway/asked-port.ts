import { portOf } from "../values.ts";

/** WARREN_GATEWAY_PORT, in place of the configured port; 0 picks a free one. @throws USAGE */
export const askedPort = (env: Readonly<NodeJS.ProcessEnv>): number | undefined =>
  portOf({ flag: "WARREN_GATEWAY_PORT", usual: 8080 }, env.WARREN_GATEWAY_PORT || undefined);

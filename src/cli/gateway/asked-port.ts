import { countOf } from "../values.ts";

/** WARREN_GATEWAY_PORT, in place of the configured port; 0 picks a free one. @throws USAGE */
export const askedPort = (env: Readonly<NodeJS.ProcessEnv>): number | undefined =>
  env.WARREN_GATEWAY_PORT ? countOf("WARREN_GATEWAY_PORT", env.WARREN_GATEWAY_PORT) : undefined;

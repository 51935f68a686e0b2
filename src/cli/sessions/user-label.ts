import type { Context } from "../context.ts";

/** Who says something, as others are shown it: "ann", "ann over ssh". */
export const userLabel = ({ env }: Pick<Context, "env">): string =>
  `${env.USER || "somebody"}${env.SSH_CONNECTION ? " over ssh" : ""}`;

/** What may stand in the section `gateway` for all workers, and in the file of one. */

export const ALLOW_ENV_FIELD = {
  kind: "list",
  item: {
    kind: "text",
    pattern: "^[A-Za-z_][A-Za-z0-9_]*\\*?$",
    expected: "a variable's name, or its beginning and *",
  },
  description: "Variables of your environment that workers get besides the usual ones: names, or `AWS_*`.",
} as const;

export const LIVE_RELOAD_FIELD = {
  kind: "flag",
  default: true,
  description: "In development a page reloads itself when its worker has changed.",
} as const;

export const KEEP_FIELD = {
  kind: "whole",
  min: 1,
  max: 1_000,
  default: 5,
  description: "Built versions that are kept for a rollback.",
} as const;

import { formInvalid } from "./errors.ts";
import type { Field } from "./layout.ts";

/** What a device may do at a machine: `view` all may; each later one is given on its own, and none includes another but `view`. */
export const SCOPES = ["view", "type", "approve", "admin"] as const;
export type Scope = (typeof SCOPES)[number];

/** As bits of one byte, `view` the lowest; unknown bits and a set without `view` are refused. */
export const scopes: Field<readonly Scope[]> = {
  write(value, writer) {
    const bits = value.reduce((sum, scope) => sum | (1 << SCOPES.indexOf(scope)), 0);
    if (!(bits & 1)) throw formInvalid(writer.what, "its scopes lack view");
    writer.integer(bits, 1);
  },
  read(reader) {
    const bits = reader.integer(1);
    if (!(bits & 1) || bits >= 1 << SCOPES.length) throw formInvalid(reader.what, "its scopes are unknown");
    return SCOPES.filter((_, index) => bits & (1 << index));
  },
};

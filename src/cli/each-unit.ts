import { isWarrenError } from "../protocol/errors.ts";
import { EXIT } from "../protocol/outcome.ts";
import type { Context } from "./context.ts";
import { exitStatusOfCode } from "./exit-status.ts";
import { renderError } from "./render/error.ts";

export interface EachUnit<T> {
  act: (name: string) => Promise<T>;
  report: (result: T) => void;
  json?: boolean | undefined;
  /** JSON is an array, whatever the number. Default: unless there is one name. */
  isList?: boolean | undefined;
}

/**
 * Does `act` for every name at once and `report`s in the order of the names; an error of one is said and does not keep the others. The status is the
 * worst one.
 */
export async function forEachUnit<T>(
  context: Context,
  names: readonly string[],
  { act, report, json, isList = names.length !== 1 }: EachUnit<T>,
): Promise<number> {
  const results = names.map((name) =>
    act(name).then(
      (value) => ({ value }),
      (error: unknown) => ({ error }),
    ),
  );
  const values: T[] = [];
  let worst: number = EXIT.ok;
  for (const pending of results) {
    const result = await pending;
    if ("value" in result) {
      if (json) values.push(result.value);
      else report(result.value);
      continue;
    }
    if (!isWarrenError(result.error)) throw result.error;
    const { mended } = await import("./elsewhere/mended.ts");
    renderError(context.output, await mended(result.error, context.said, context), json === true);
    worst = Math.max(worst, exitStatusOfCode(result.error.code));
  }
  // What failed was said on stderr; of one name there is then nothing to print.
  if (json && (isList || values.length > 0)) context.output.json(isList ? values : values[0]);
  return worst;
}

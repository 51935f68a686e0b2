/**
 * What an older client may rely on in an answer: which fields there are, of which type. What is one of a few words is kept as it is; the rest is its type.
 */
export type Shape = string | { [field: string]: Shape } | Shape[];

/** Fields whose values are part of the contract. */
const WORDS = new Set([
  "success",
  "code",
  "status",
  "kind",
  "result",
  "event",
  "stream",
  "message",
  "continued",
  "stopped",
  "gap",
]);

export function shapeOf(value: unknown, field = ""): Shape {
  if (value === null) return "null";
  if (Array.isArray(value)) return value.length === 0 ? [] : [shapeOf(value[0])];
  if (typeof value === "object")
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shapeOf(inner, key)]));
  return WORDS.has(field) ? `=${String(value)}` : typeof value;
}

/** Where `shape` lacks something that `golden` has: the first such place, or undefined. More than `golden` is no difference. */
export function missingIn(shape: Shape | undefined, golden: Shape, path = "answer"): string | undefined {
  if (shape === undefined) return `${path} is gone`;
  if (golden === "null") return undefined; // or a value, another time
  if (typeof golden === "string")
    return shape === golden ? undefined : `${path} was ${golden}, is ${JSON.stringify(shape)}`;
  if (Array.isArray(golden)) {
    if (!Array.isArray(shape)) return `${path} is no list any more`;
    const [element] = golden;
    return element === undefined ? undefined : missingIn(shape[0], element, `${path}[0]`);
  }
  if (typeof shape === "string" || Array.isArray(shape)) return `${path} is no object any more`;
  for (const [field, wanted] of Object.entries(golden)) {
    const problem = missingIn(shape[field], wanted, `${path}.${field}`);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

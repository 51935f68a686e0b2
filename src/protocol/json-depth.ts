/**
 * Values of foreign hands are nested this deep at most: `JSON.parse` takes any depth, and what goes through a value by recursion afterwards (a structured
 * clone, `JSON.stringify` with a replacer) does not. As deep as claude-ipc allows.
 */
export const JSON_DEPTH_MAX = 64;
export const TOO_DEEP = `nested deeper than ${JSON_DEPTH_MAX} levels`;

export function isShallow(value: unknown, levels = JSON_DEPTH_MAX): boolean {
  if (typeof value !== "object" || value === null) return true;
  return levels > 0 && Object.values(value).every((part) => isShallow(part, levels - 1));
}

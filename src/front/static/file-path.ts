/**
 * What of a folder may be asked for at all. The request's path was checked when it was parsed (no `.` and `..`, no `//`, no encoded slash); it is checked
 * here again, since here it becomes the name of a file.
 */

/** Read by Warren, never by a browser, wherever it lies. */
const CONFIGURATION = new Set(["worker.yaml", "worker.yml", "warren.yaml", "warren.yml"]);

/** Programs whose text is no answer: a worker runs them. (`.ts` is no such: it is also a video.) */
const PROGRAM = /\.(php\d?|phtml|phar)$/i;

/** Beside a worker's configuration these are its own: never served where a worker's whole folder is its public one. */
const WORKERS_OWN = new Set(["src", "bin", "private", "config", "templates", "views", "node_modules", "package.json"]);

/** Longer names exist on no file system that we know (NAME_MAX). */
const SEGMENT_CHARS_MAX = 255;
const SEGMENTS_MAX = 64;

/**
 * The segments of a path below a public folder, decoded: `/a%20b/c` → `["a b", "c"]`; none for the folder itself. Undefined when no file of that name is
 * served. An ending slash is not seen here.
 */
export function fileSegments(path: string): string[] | undefined {
  const segments = path.split("/").filter(Boolean);
  if (segments.length > SEGMENTS_MAX) return undefined;
  for (let at = 0; at < segments.length; at++) {
    const segment = decoded(segments[at]!);
    if (segment === undefined || !isServed(segment, at)) return undefined;
    segments[at] = segment;
  }
  return segments;
}

/** As above for what a name turned out to lead to, relative to the folder: symlinks are followed, and the system knows the true case. */
export const isServedPath = (relativePath: string): boolean => relativePath.split("/").every(isServed);

/** Of a folder that is also a worker's own. */
export const isWorkersOwn = (firstSegment: string): boolean => WORKERS_OWN.has(firstSegment.toLowerCase());

function isServed(segment: string, at: number): boolean {
  if (segment === "" || segment.length > SEGMENT_CHARS_MAX || /[/\\\0]/.test(segment)) return false;
  // RFC 8615: the one folder with a dot that is meant for others.
  if (segment.startsWith(".")) return at === 0 && segment === ".well-known";
  return !CONFIGURATION.has(segment.toLowerCase()) && !PROGRAM.test(segment);
}

function decoded(segment: string): string | undefined {
  if (!segment.includes("%")) return segment;
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}

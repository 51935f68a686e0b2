/** Ages in one short word: `12s`, `4m`, `3h`, `2d`. */
export function shortAge(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)}h`;
  return `${Math.floor(seconds / 86_400)}d`;
}

/** A path as a person writes it, with ~ for their home. */
export function shortPath(path: string, userHome: string | undefined): string {
  if (!userHome || userHome === "/") return path;
  return path === userHome ? "~" : path.startsWith(`${userHome}/`) ? `~${path.slice(userHome.length)}` : path;
}

/**
 * Builds in one folder, one after the other, whoever orders them: a build that was given up still runs for a moment, and puts back what it found there. Of the
 * process as a whole, since those who build in the same folder do not know each other: a worker that is configured anew has another builder.
 */
const lastOf = new Map<string, Promise<unknown>>();

/** Answers with what `act` does, once all of before are over. */
export function inTurn<T>(dir: string, act: () => Promise<T>): Promise<T> {
  const turn = (lastOf.get(dir) ?? Promise.resolve()).then(act);
  const last = turn
    .catch(() => {})
    .then(() => {
      if (lastOf.get(dir) === last) lastOf.delete(dir);
    });
  lastOf.set(dir, last);
  return turn;
}

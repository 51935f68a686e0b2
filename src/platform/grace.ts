/** Resolves when all of these have settled, or after `graceMs`. */
export async function settledWithin(graceMs: number, all: Iterable<Promise<unknown> | undefined>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, graceMs);
  });
  await Promise.race([Promise.allSettled(all), late]);
  clearTimeout(timer);
}

import { relative } from "node:path";

/** What is read and does nothing, with the reason, told as one warning however much it is; and what else a person should know. */
export class Notes {
  readonly #byFile = new Map<string, string[]>();
  readonly #folders: string[] = [];
  readonly #sentences: string[] = [];

  /** @param key as it stands in the file; @param reason to stand after a colon */
  ignored(file: string, key: string, reason: string): void {
    const keys = this.#byFile.get(file) ?? [];
    this.#byFile.set(file, [...keys, `${key} (${reason})`]);
  }

  /** A sentence of its own. */
  warn(sentence: string): void {
    this.#sentences.push(sentence);
  }

  noWorker(dir: string): void {
    this.#folders.push(dir);
  }

  /** @param dir what names are shown relative to; @param lookedFor what makes a folder a worker */
  warnings(dir: string, lookedFor: string): string[] {
    const files = [...this.#byFile].map(([file, keys]) => `${relative(dir, file)}: ${keys.join(", ")}`);
    const folders = this.#folders.map((folder) => relative(dir, folder)).join(", ");
    return [
      ...this.#sentences,
      ...(files.length > 0 ? [`These keys are read and do nothing. ${files.join("; ")}.`] : []),
      ...(folders === "" ? [] : [`No worker, as there is no ${lookedFor}: ${folders}.`]),
    ];
  }
}

/** What is served under which name: exact, then a wildcard for one label (RFC 9525 §6.3), then the first of all. */
export class ServerNames<T> {
  readonly #exact = new Map<string, T>();
  /** By what follows the star: `.example.org`. */
  readonly #wildcards = new Map<string, T>();
  readonly #first: T | undefined;

  /** The earlier of two with the same name goes before. */
  constructor(entries: readonly { hosts: readonly string[]; value: T }[]) {
    this.#first = entries[0]?.value;
    for (const { hosts, value } of entries)
      for (const host of hosts) {
        const [names, name] = host.startsWith("*.") ? [this.#wildcards, host.slice(1)] : [this.#exact, host];
        if (!names.has(name)) names.set(name, value);
      }
  }

  /** `name`: as the client says it (SNI), or undefined when it says none. */
  find(name: string | undefined): T | undefined {
    return (name === undefined ? undefined : this.named(name)) ?? this.#first;
  }

  /** Only by name. */
  named(name: string): T | undefined {
    const lower = name.toLowerCase().replace(/\.$/, "");
    const dot = lower.indexOf(".");
    return this.#exact.get(lower) ?? (dot > 0 ? this.#wildcards.get(lower.slice(dot)) : undefined);
  }
}

/** Writes Prometheus' text format, version 0.0.4: families with their samples. */
export class Exposition {
  readonly #prefix: string;
  readonly #lines: string[] = [];
  #family = "";

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** `help` is ours: it holds no line break. */
  family(name: string, type: "counter" | "gauge" | "histogram", help: string): void {
    this.#family = this.#prefix + name;
    this.#lines.push(`# HELP ${this.#family} ${help}`, `# TYPE ${this.#family} ${type}`);
  }

  sample(labels: Readonly<Record<string, string>>, value: number, suffix = ""): void {
    const pairs = Object.entries(labels).map(([name, text]) => `${name}="${escaped(text)}"`);
    this.#lines.push(`${this.#family}${suffix}${pairs.length === 0 ? "" : `{${pairs.join(",")}}`} ${value}`);
  }

  single(name: string, type: "counter" | "gauge", help: string, value: number): void {
    this.family(name, type, help);
    this.sample({}, value);
  }

  get text(): string {
    return `${this.#lines.join("\n")}\n`;
  }
}

const escaped = (text: string): string =>
  text.replace(/[\\"\n]/g, (character) => (character === "\n" ? "\\n" : `\\${character}`));

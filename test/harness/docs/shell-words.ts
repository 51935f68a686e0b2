/** A line of shell as its simple commands, each as its words: what stands around `&&`, `|`, `;` and inside `$( )`. Nothing is expanded. */
export function simpleCommands(line: string): string[][] {
  const commands: string[][] = [];
  /** Commands that are not over: the line's own, and those inside which we are. */
  const open: Reading[] = [{ words: [], word: undefined }];
  const current = (): Reading => open.at(-1)!;
  let at = 0;
  const endWord = () => {
    const reading = current();
    if (reading.word !== undefined) reading.words.push(reading.word);
    reading.word = undefined;
  };
  const endCommand = () => {
    endWord();
    if (current().words.length > 0) commands.push(current().words);
    current().words = [];
  };
  const add = (text: string) => {
    current().word = (current().word ?? "") + text;
  };
  while (at < line.length) {
    const rest = line.slice(at);
    const character = line[at]!;
    if (character === "\\") {
      add(line[at + 1] ?? "");
      at += 2;
    } else if (character === "'" || character === '"') {
      const end = line.indexOf(character, at + 1);
      const inside = line.slice(at + 1, end === -1 ? undefined : end);
      // What a shell would run inside of double quotes is looked at by itself.
      if (character === '"')
        for (const [, inner] of inside.matchAll(/\$\(([^)]*)\)/g)) commands.push(...simpleCommands(inner!));
      add(inside);
      at = end === -1 ? line.length : end + 1;
    } else if (rest.startsWith("$(")) {
      add("$(…)");
      open.push({ words: [], word: undefined });
      at += 2;
    } else if (character === ")" && open.length > 1) {
      endCommand();
      open.pop();
      at++;
    } else if (/^(&&|\|\||[|;&])/.test(rest)) {
      endCommand();
      at += /^(&&|\|\|)/.test(rest) ? 2 : 1;
    } else if (/^[ \t]/.test(rest)) {
      endWord();
      at++;
    } else if (character === "#" && current().word === undefined) break;
    else {
      add(character);
      at++;
    }
  }
  while (open.length > 0) {
    endCommand();
    open.pop();
  }
  return commands;
}

interface Reading {
  words: string[];
  word: string | undefined;
}

const KEYWORDS = new Set(["while", "until", "if", "do", "then", "else", "!", "time", "exec", "sudo", "{", "("]);

/** The words behind `warren`, where a command is Warren's; redirections and assignments are not counted. */
export function warrenWords(command: readonly string[]): string[] | undefined {
  const isRedirection = (word = "") => /^\d?(>>?|<)/.test(word);
  // `> file` is two words, `2>file` is one.
  const words = command.filter((word, at) => !isRedirection(word) && !/^\d?(>>?|<)$/.test(command[at - 1] ?? ""));
  let first = 0;
  while (first < words.length && (KEYWORDS.has(words[first]!) || /^[A-Z_]+=/.test(words[first]!))) first++;
  return /(^|\/)warren$/.test(words[first] ?? "") ? words.slice(first + 1) : undefined;
}

/**
 * Whether a program's last words say that somebody else listens on its own port, which is a reason for the next port and no fault of the program. Node says
 * `listen EADDRINUSE: address already in use 127.0.0.1:9001`; Go `listen tcp :9001: bind: address already in use`; Python no port at all. One that names
 * another port than its own has chosen that by itself, and would choose it again.
 */
export function saysPortTaken(lines: readonly string[], port: number): boolean {
  const said = lines.filter((line) => /EADDRINUSE|address already in use/i.test(line));
  if (said.length === 0) return false;
  const named = [...said.flatMap((line) => [...line.matchAll(AT_ADDRESS)]), ...lines.flatMap(asField)];
  return named.length === 0 || named.some(([, digits]) => Number(digits) === port);
}

const AT_ADDRESS = /:(\d{1,5})\b/g;
/** Of an error that Node has printed as an object; its first line may be further up than we were told. */
const asField = (line: string): RegExpMatchArray[] => [...line.matchAll(/^\s*port: (\d{1,5})\b/g)];

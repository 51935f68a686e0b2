import { messageOf, WarrenError, withFix } from "../protocol/errors.ts";
import { suggest } from "../protocol/suggest.ts";

export const sessionNotFound = (reference: string, known: readonly string[]): WarrenError => {
  const near = suggest(reference, known);
  return new WarrenError(
    "SESSION_NOT_FOUND",
    `session not found: ${reference}${near ? `. Did you mean ${near}?` : ""}`,
    { fix: "warren sessions --all", ...(known.length > 0 ? { detail: { candidates: [...known] } } : {}) },
  );
};

export const sessionNotLive = (name: string): WarrenError =>
  new WarrenError("SESSION_NOT_LIVE", `${name} has ended; nothing runs in it.`, { fix: `warren resume ${name}` });

export const sessionLive = (name: string): WarrenError =>
  new WarrenError("SESSION_LIVE", `${name} is still running.`, { fix: `warren stop ${name}` });

export const endNotNoted = (name: string, cause: unknown): WarrenError =>
  new WarrenError(
    "SESSION_END_NOT_NOTED",
    `${name} has ended, and that cannot be written down: ${messageOf(cause)}. It is tried again.`,
    { fix: "df -h      # once there is room, it is in: warren sessions --all", cause },
  );

export const nameInvalid = (name: string): WarrenError =>
  new WarrenError(
    "NAME_INVALID",
    `"${name}" cannot be a session's name: a lower-case letter, then at most 31 of a-z, 0-9 and "-".`,
  );

export const nameTaken = (name: string): WarrenError =>
  new WarrenError("NAME_TAKEN", `A session named ${name} is running already.`, { fix: `warren attach ${name}` });

export const portInvalid = (port: number): WarrenError =>
  new WarrenError("SESSION_PORT_INVALID", `${port} cannot be a port: 1 to 65535.`);

export const portTaken = (port: number): WarrenError =>
  new WarrenError("SESSION_PORT_TAKEN", `Port ${port} is another session's.`, { fix: "warren sessions --all --json" });

export const noProgram = (): WarrenError =>
  new WarrenError("COMMAND_EMPTY", "There is no program to start in the session.", { fix: "warren new -- bash" });

export const sizeInvalid = (cols: number, rows: number): WarrenError =>
  new WarrenError("SIZE_INVALID", `A terminal cannot have ${cols} columns and ${rows} rows; 1 to 1000 each.`);

export const notATerminal = (name: string): WarrenError =>
  new WarrenError("NOT_A_TERMINAL", `${name} is an agent: it has a conversation, not a terminal.`, {
    fix: `warren prompt ${name} 'hello'`,
  });

/** The same, with what the program wrote to stderr, which mostly says why. */
export const withErrorOutput = (error: unknown, text: string): unknown => {
  if (!(error instanceof WarrenError) || text === "") return error;
  // The frames of a stack help nobody who has not written it, and push out the line that says what is wrong.
  const said = text.split("\n").filter((line) => !/^\s+at /.test(line));
  const lines = said.slice(-ERROR_LINES_MAX).join("\n");
  const { code, message, fix, detail } = error;
  return new WarrenError(code, `${message} It wrote to stderr:\n${lines}`, {
    ...(fix === undefined ? {} : { fix }),
    detail: { ...detail, stderr: text },
    cause: error,
  });
};

const ERROR_LINES_MAX = 8;

export const notAnAgent = (name: string): WarrenError =>
  new WarrenError("NOT_AN_AGENT", `${name} is a terminal: it takes keys, not prompts.`, {
    fix: `warren send ${name} 'hello' --enter`,
  });

export const noQuestion = (name: string): WarrenError =>
  new WarrenError("NO_QUESTION", `${name} asks nothing at the moment.`, { fix: `warren history ${name}` });

export const promptForm = (): WarrenError =>
  new WarrenError("INVALID_PAYLOAD", "session.prompt: one of text and blocks is needed.", {
    detail: { field: "text" },
  });

export const twoPrograms = (): WarrenError =>
  new WarrenError(
    "INVALID_PAYLOAD",
    "session.new: command and agent are two kinds of session; one of them is needed.",
    {
      detail: { field: "agent" },
    },
  );

export const loginMethodUnknown = (
  name: string,
  method: string | undefined,
  methods: readonly { id: string; name: string }[],
): WarrenError =>
  new WarrenError(
    "LOGIN_METHOD_UNKNOWN",
    `${name} ${method === undefined ? "has several ways to log in, or none" : `cannot log in by "${method}"`}: ${methods.map(({ id }) => id).join(", ") || "none"}.`,
    { detail: { methods: methods.map(({ id }) => id) } },
  );

export const keeperUnreachable = (cause?: unknown): WarrenError =>
  new WarrenError("KEEPER_LOST", "The keeper went away; its terminals have ended.", {
    fix: "warren sessions --all",
    cause,
  });

export const sessionMoved = (name: string, server: string): WarrenError =>
  new WarrenError("SESSION_MOVED", `${name} is on ${server} now.`, { fix: "warren servers" });

export const moveFailed = (name: string, to: string, why: string): WarrenError =>
  new WarrenError("MOVE_FAILED", `${name} could not be moved to ${to}: ${why} It stays where it was.`, {
    fix: "warren servers",
  });

export const sessionsLive = (names: readonly string[]): WarrenError =>
  new WarrenError(
    "SESSIONS_LIVE",
    `${names.slice(0, 5).join(", ")}${names.length > 5 ? ` and ${names.length - 5} more` : ""} would end with the server.`,
    {
      fix: "warren shutdown --force      # they are saved; warren resume brings them back",
      detail: { names: [...names] },
    },
  );

/** With what to type for this very one. */
export const withLoginFix = (error: WarrenError, name: string): WarrenError =>
  error.code === "AGENT_NEEDS_LOGIN" ? withFix(error, `warren login ${name}`) : error;

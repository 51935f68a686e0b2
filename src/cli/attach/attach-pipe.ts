import type { Readable, Writable } from "node:stream";
import { TerminalClient } from "../../client/terminal-client.ts";
import type { TerminalSize } from "../../client/terminal-world.ts";
import { type AttachEnd, type AttachRequest, onEndSignals } from "./attachment.ts";

/**
 * A session through pipes: its output from now on goes to `stdout` as it is, what comes from `stdin` is typed. Nothing is painted. Left when
 * `stdin` has ended and everything of it has been taken; a viewer's `stdin` is not read.
 *
 * It takes the session's own size, and follows it: with another one there would be pictures of the screen instead of output.
 */
export interface PipeStreams {
  stdin: Readable;
  stdout: Writable;
  /** Output that came faster than it was read, and is left out. */
  onSkipped: (bytes: number) => void;
}

/** @throws WarrenError when it cannot be attached to */
export async function attachPipe(request: AttachRequest, size: TerminalSize, streams: PipeStreams): Promise<AttachEnd> {
  const { stdin, stdout, onSkipped } = streams;
  const { detach: _, ...rest } = request;
  const end = Promise.withResolvers<AttachEnd>();
  const attached = Promise.withResolvers<void>();
  const client = new TerminalClient({
    ...rest,
    isKnown: true,
    name: "warren-cli",
    size,
    events: {
      onAttached: () => attached.resolve(),
      onOutput: (bytes) => {
        if (!stdout.write(bytes)) client.pause();
      },
      onScreen: (_bytes, skippedBytes) => {
        if (skippedBytes > 0) onSkipped(skippedBytes);
      },
      onControl: ({ cols, rows }) => client.resize({ cols, rows }),
      onEnd: (outcome) => end.resolve({ kind: "ended", outcome }),
      onFailed: (error) => end.reject(error),
      onRoom: () => void stdin.resume(),
    },
  });
  const onDrain = (): void => client.resume();
  const onInput = (bytes: Uint8Array): void => {
    if (!client.type(bytes)) stdin.pause();
  };
  const onInputEnd = (): void =>
    void attached.promise.then(() => client.flushed()).then(() => end.resolve({ kind: "detached" }));
  const forgetSignals = onEndSignals((signal) => end.resolve({ kind: "signal", signal }));
  stdout.on("drain", onDrain);
  if (!request.isViewer) stdin.on("data", onInput).once("end", onInputEnd).once("error", onInputEnd);
  try {
    client.start();
    return await end.promise;
  } finally {
    forgetSignals();
    stdout.off("drain", onDrain);
    stdin.off("data", onInput).off("end", onInputEnd).off("error", onInputEnd);
    stdin.pause();
    await client.detach(0);
  }
}

import { parentPort } from "node:worker_threads";
import { messageOf } from "../../protocol/errors.ts";
import { FollowedScreen } from "./followed-screen.ts";
import type { ScreenAnswer, ScreenRequest } from "./screen-messages.ts";

/** The thread in which the screens of a server's sessions are made: it follows their journals by itself, so that nothing that they write stalls the server. */
const screens = new Map<string, FollowedScreen>();
const port = parentPort;

port?.on("message", (request: ScreenRequest) => {
  void answer(request);
});

async function answer(request: ScreenRequest): Promise<void> {
  const { id } = request;
  if (request.kind === "open") {
    screens.set(id, new FollowedScreen(request.journalDir, (event) => say({ kind: "event", id, event })));
    return;
  }
  const screen = screens.get(id);
  if (request.kind === "advance") return screen?.advance(request.end);
  if (request.kind === "close") {
    screens.delete(id);
    await screen?.close();
    return;
  }
  try {
    if (!screen) throw new Error(`no screen ${id}`);
    say({ kind: "answer", call: request.call, data: await screen.look(request) });
  } catch (error) {
    say({ kind: "answer", call: request.call, error: messageOf(error) });
  }
}

function say(message: ScreenAnswer): void {
  port?.postMessage(message);
}

import { Readable, Writable } from "node:stream";
import { agent, methods, ndJsonStream } from "@agentclientprotocol/sdk";

/** An agent made with the protocol's own library, run as a program: it uses everything that a client offers, once. */
agent({ name: "sdk" })
  .onRequest(methods.agent.initialize, () => ({
    protocolVersion: 1,
    agentInfo: { name: "sdk", version: "1" },
    agentCapabilities: { loadSession: false, sessionCapabilities: { close: {} } },
  }))
  .onRequest(methods.agent.session.new, () => ({
    sessionId: "sdk-session",
    modes: {
      currentModeId: "a",
      availableModes: [
        { id: "a", name: "A" },
        { id: "b", name: "B" },
      ],
    },
  }))
  .onRequest(methods.agent.session.setMode, () => ({}))
  .onRequest(methods.agent.session.close, () => ({}))
  .onRequest(methods.agent.session.prompt, async ({ params, client }) => {
    const { sessionId } = params;
    const path = params.prompt.flatMap((block) => (block.type === "text" ? [block.text] : []))[0] ?? "";
    await client.request(methods.client.fs.writeTextFile, { sessionId, path, content: "one\ntwo\nthree\n" });
    const read = await client.request(methods.client.fs.readTextFile, { sessionId, path, line: 2, limit: 1 });
    const terminal = await client.request(methods.client.terminal.create, {
      sessionId,
      command: "wc",
      args: ["-l", path],
    });
    const ids = { sessionId, terminalId: terminal.terminalId };
    const exit: { exitCode?: number | null } = await client.request(methods.client.terminal.waitForExit, ids);
    const output: { output: string } = await client.request(methods.client.terminal.output, ids);
    await client.request(methods.client.terminal.kill, ids);
    await client.request(methods.client.terminal.release, ids);
    const asked = await client.request(methods.client.session.requestPermission, {
      sessionId,
      toolCall: { toolCallId: "t1", title: "may I?" },
      options: [{ optionId: "y", name: "Yes", kind: "allow_once" }],
    });
    const told = {
      read: read.content,
      exit: exit.exitCode,
      output: output.output.trim().split(" ")[0],
      asked: asked.outcome,
    };
    for (const messageId of ["m1", "m2"]) {
      await client.notify(methods.client.session.update, {
        sessionId,
        update: {
          sessionUpdate: "agent_message_chunk",
          messageId,
          content: { type: "text", text: JSON.stringify(told) },
        },
      });
    }
    return { stopReason: "end_turn" };
  })
  .onNotification(methods.agent.session.cancel, () => {})
  .connect(ndJsonStream(Writable.toWeb(process.stdout), Readable.toWeb(process.stdin) as ReadableStream<Uint8Array>));

import { HubTalk } from "../../src/hub/testing/hub-talk.ts";

export interface HubSocket<Talk extends HubTalk = HubTalk> {
  talk: Talk;
  socket: WebSocket;
}

/**
 * A connection to a hub with node's own WebSocket, as a browser has it. Resolves when it is open, or refused.
 * @param address the hub's, `http://127.0.0.1:8787`
 */
export async function hubSocket<Talk extends HubTalk = HubTalk>(
  address: string,
  over: (socket: WebSocket, send: (bytes: Uint8Array) => void) => Talk = (_, send) => new HubTalk(send) as Talk,
): Promise<HubSocket<Talk>> {
  const socket = new WebSocket(`${address.replace(/^http/, "ws")}/hub/v1`);
  socket.binaryType = "arraybuffer";
  const talk = over(socket, (bytes) => socket.send(bytes.slice()));
  socket.onmessage = ({ data }) => talk.hear(new Uint8Array(data));
  socket.onclose = () => talk.end();
  socket.onerror = () => {}; // a close follows
  await new Promise<void>((resolve) => {
    socket.onopen = () => resolve();
    void talk.closed.then(resolve);
  });
  return { talk, socket };
}

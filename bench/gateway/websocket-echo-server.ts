import { createHash } from "node:crypto";
import { createServer } from "node:http";
import { closeOnDisconnect, FrameEcho } from "./websocket-frame.ts";

/** `node websocket-echo-server.ts PORT`: answers each frame with the same, unmasked. */
const ACCEPT_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"; // RFC 6455 §1.3

createServer((_request, response) => response.end("Hello, world\n"))
  .on("upgrade", (request, socket) => {
    const accept = createHash("sha1").update(`${request.headers["sec-websocket-key"]}${ACCEPT_GUID}`).digest("base64");
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-accept: ${accept}\r\n\r\n`,
    );
    const echo = new FrameEcho();
    socket.on("data", (chunk: Buffer) => socket.write(echo.answer(chunk)));
    closeOnDisconnect(socket);
  })
  .listen(Number(process.argv[2]), "127.0.0.1");

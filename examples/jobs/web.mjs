// A page that counts its visitors, on $PORT or a free port.
import { createServer } from "node:http";

let visitors = 0;
const server = createServer((request, response) => {
  visitors++;
  console.log(`${request.method} ${request.url}`);
  response.end(`You are visitor ${visitors}.\n`);
});
server.listen(Number(process.env.PORT ?? 0), "127.0.0.1", () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});
process.on("SIGTERM", () => {
  console.log(`stopping after ${visitors} visitors`);
  server.closeAllConnections();
  server.close();
});

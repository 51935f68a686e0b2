// The page on $PORT or a free port, by a program without a gateway. A browser that shows it is told when the file changes.
import { readFileSync, watch } from "node:fs";
import { createServer } from "node:http";
import { basename, dirname } from "node:path";
import { pathOfPage } from "../site/page.mjs";

const RELOADS = '<script>new EventSource("/changes").onmessage = () => location.reload();</script>\n';
const browsers = new Set();
let visitors = 0;
const server = createServer((request, response) => {
  if (request.url === "/changes") {
    response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" }).write(": hello\n\n");
    browsers.add(response);
    response.on("close", () => browsers.delete(response));
    return;
  }
  visitors++;
  console.log(`${request.method} ${request.url}`);
  response.writeHead(200, { "content-type": "text/html" }).end(readFileSync(pathOfPage(), "utf8") + RELOADS);
});
const watching = watch(dirname(pathOfPage()), (_, name) => {
  if (name !== basename(pathOfPage())) return;
  console.log("the page has changed");
  for (const browser of browsers) browser.write("data: changed\n\n");
});
server.listen(Number(process.env.PORT ?? 0), "127.0.0.1", () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});
process.on("SIGTERM", () => {
  console.log(`stopping after ${visitors} visitors`);
  watching.close();
  server.closeAllConnections();
  server.close();
});

import { createServer } from "node:http";
import { greeting } from "./greeting.ts";

// A worker: a program that listens on $PORT. Save it, and the next request is answered by what was saved.
createServer((request, response) => {
  const isHome = request.url === "/";
  response.writeHead(isHome ? 200 : 404, { "content-type": "text/html; charset=utf-8" });
  response.end(isHome ? greeting(new Date()) : "<p>There is nothing here.</p>\n");
}).listen(process.env.PORT);

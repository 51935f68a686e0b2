import { createServer } from "node:http";

// A worker: a program that listens on $PORT. It is built of what it imports, here the page as well. Save it, and the next request is answered by what was saved.
// What the demo changes is a copy of the page, so that a checkout stays as it is; where nobody has made one, its template is the page.
const { default: page } = await import("../../../site/page.html", { with: { type: "text" } }).catch(
  () => import("../../../site/page.template.html", { with: { type: "text" } }),
);

createServer((request, response) => {
  const isHome = request.url === "/";
  response.writeHead(isHome ? 200 : 404, { "content-type": "text/html; charset=utf-8" });
  response.end(isHome ? page : "<p>There is nothing here.</p>\n");
}).listen(process.env.PORT);

/** What `warren init` writes: the text of each file, by its path in the project. */
export const STARTER_FILES: Readonly<Record<string, string>> = {
  "warren.yaml": `# Each folder of workers/ is a worker of its own: \`index\` serves /, \`api\` serves /api. All keys: warren.schema.json.
gateway:
  port: 8080
  # prod: nothing is built on save; \`warren gateway refresh\` takes up what has changed
  mode: dev
`,
  "package.json": `${JSON.stringify({ private: true, type: "module" }, null, 2)}\n`,
  ".gitignore": "node_modules/\nworkers/*/bin/\nworkers/*/private/\n",
  "workers/index/src/main.ts": `import { createServer } from "node:http";

const page = (title: string, text: string): string => \`<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <title>\${title}</title>
    <link rel="stylesheet" href="/style.css">
  </head>
  <body>
    <h1>\${title}</h1>
    <p>\${text}</p>
  </body>
</html>
\`;

// PORT is what the gateway chose. Save this file, and the browser shows the new page.
createServer((request, response) => {
  const isHome = request.url === "/";
  response.writeHead(isHome ? 200 : 404, { "content-type": "text/html; charset=utf-8" });
  response.end(isHome ? page("It works", "Change workers/index/src/main.ts and save.") : page("Not found", "Nothing is here."));
}).listen(process.env.PORT);
`,
  "workers/index/public/style.css": `body {
  max-width: 40rem;
  margin: 4rem auto;
  font-family: system-ui, sans-serif;
  color-scheme: light dark;
}
`,
  "workers/api/src/main.ts": `import { createServer } from "node:http";

createServer((request, response) => {
  if (request.url === "/api/health") {
    response.end("ok");
    return;
  }
  response.writeHead(200, { "content-type": "application/json" });
  response.end(JSON.stringify({ path: request.url, at: new Date().toISOString() }));
}).listen(process.env.PORT);
`,
  "workers/api/worker.yaml": `# Nothing of this has to be said. All keys: worker.schema.json.
path: /api
health: { path: /api/health }
`,
};

/** Where the project has them already, they stay as they are. */
export const SHARED_FILES: ReadonlySet<string> = new Set(["package.json", ".gitignore"]);

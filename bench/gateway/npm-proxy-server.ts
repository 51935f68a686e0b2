import http from "node:http";
import { createRequire } from "node:module";

/** `node npm-proxy-server.ts PACKAGE PORT BACKEND_PORT WEB_SOCKET_PORT`: one of the packages as a proxy. They have no types that we install. */
const [name = "", port, backendPort, webSocketPort] = process.argv.slice(2);
const packages = createRequire(import.meta.url);
const backend = `http://127.0.0.1:${backendPort}`;
const sockets = `http://127.0.0.1:${webSocketPort}`;
const CONNECTIONS = 128;
const IDLE_MS = 600_000;

const listen = (server: http.Server): void => {
  server.keepAliveTimeout = IDLE_MS;
  server.listen(Number(port), "127.0.0.1");
};

const PROGRAMS: Record<string, () => void | Promise<void>> = {
  "fast-proxy": () => {
    const { proxy } = packages(name)({ base: backend, undici: { connections: CONNECTIONS, pipelining: 1 } });
    listen(http.createServer((request, response) => proxy(request, response, request.url, {})));
  },
  "http-proxy": () => {
    const agent = new http.Agent({ keepAlive: true, maxSockets: CONNECTIONS, maxFreeSockets: CONNECTIONS });
    const proxy = packages(name).createProxyServer({ target: backend, agent });
    proxy.on("error", () => {});
    const server = http.createServer((request, response) => proxy.web(request, response));
    server.on("upgrade", (request, socket, head) => proxy.ws(request, socket, head, { target: sockets }));
    listen(server);
  },
  "@fastify/http-proxy": async () => {
    const app = packages("fastify")({ keepAliveTimeout: IDLE_MS });
    const plugin = packages(name);
    app.register(plugin, { upstream: sockets, prefix: "/ws", rewritePrefix: "/ws", websocket: true });
    app.register(plugin, { upstream: backend, undici: { connections: CONNECTIONS, pipelining: 1 } });
    await app.listen({ port: Number(port), host: "127.0.0.1" });
  },
};

await PROGRAMS[name]!();

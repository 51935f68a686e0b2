import { APP_FIELD } from "./app-field.ts";
import { REDIRECTS_FIELD, REWRITES_FIELD } from "./route-fields.ts";
import { ALLOW_ENV_FIELD, KEEP_FIELD, LIVE_RELOAD_FIELD } from "./shared-fields.ts";

/** The section `gateway` of a warren.yaml. */

const text = { kind: "text" } as const;
const time = (description: string, written: string) =>
  ({ kind: "duration", minMs: 1, default: written, description }) as const;

const CERTIFICATE_WORDS = {
  ...{ certificate: "cert", crt: "cert", fullchain: "cert", file: "cert" },
  ...{ private_key: "key", key_file: "key", cert_file: "cert" },
} as const;

export const GATEWAY_FIELDS = {
  kind: "record",
  description: "The HTTP front of this project's workers.",
  fields: {
    host: { ...text, default: "127.0.0.1", description: "The IP address to listen on; 0.0.0.0 is every IPv4 one." },
    port: { kind: "whole", min: 0, max: 65_535, default: 8080, description: "0 picks a free one." },
    mode: {
      kind: "choice",
      choices: ["dev", "prod"],
      default: "dev",
      description: "`dev` rebuilds on save; `prod` takes up what was deployed when it is told to.",
    },
    workers: { ...text, default: "workers", description: "The folder of the workers, relative to this file." },
    app: APP_FIELD,
    public: {
      ...text,
      default: "server/public",
      description: "Files that are served as they are, whatever the host, relative to this file.",
    },
    ports: {
      kind: "text",
      pattern: "^[0-9]{1,5}-[0-9]{1,5}$",
      expected: "a range of ports such as 9000-9999",
      default: "9000-9999",
      description: "Where instances listen, on 127.0.0.1.",
    },
    redirects: REDIRECTS_FIELD,
    rewrites: REWRITES_FIELD,
    trusted_proxies: {
      kind: "list",
      item: text,
      description: "Addresses and networks (10.0.0.0/8) whose Forwarded and X-Forwarded-* are believed.",
    },
    public_metrics: {
      kind: "flag",
      default: false,
      description: "/metrics is answered on the gateway's port, to everybody who reaches it.",
    },
    live_reload: LIVE_RELOAD_FIELD,
    keep: KEEP_FIELD,
    allow_env: ALLOW_ENV_FIELD,
    tls: {
      kind: "record",
      description: "https on the same port. Certificates are taken up when their files change.",
      fields: {
        certificates: {
          kind: "list",
          minItems: 1,
          item: {
            kind: "record",
            fields: {
              cert: { ...text, description: "A PEM file with the certificate and its chain, relative to this file." },
              key: { ...text, description: "Its private key; without it, it is in the same file." },
            },
            required: ["cert"],
            foreign: CERTIFICATE_WORDS,
          },
          description: "The first is for clients that name no host, or one that none of them has.",
        },
        plain: {
          kind: "choice",
          choices: ["redirect", "serve", "refuse"],
          default: "redirect",
          description: "What becomes of plain HTTP: 308 to https, served as it is, or 400.",
        },
      },
      required: ["certificates"],
      foreign: { ...{ certificate: "certificates", cert: "certificates", certs: "certificates" }, http: "plain" },
    },
    limits: {
      kind: "record",
      description: "What a client and an instance may take.",
      fields: {
        head: time("A request's head that does not come whole: 408.", "10s"),
        body: time("A body of which nothing comes: 408.", "30s"),
        idle: time("A connection without a request: closed.", "75s"),
        answer: time("An instance that does not begin to answer: 504.", "60s"),
        body_rate: {
          kind: "size",
          default: "100",
          description: "Bytes a second, over 30 s. A body that comes more slowly: 408. 0: no limit.",
        },
        connections: {
          kind: "whole",
          min: 1,
          max: 1_000_000,
          default: 65_536,
          description:
            "Of clients at a time, as far as descriptors go. One more: the oldest idle one is closed, or the new one.",
        },
        body_size: { kind: "size", description: "A larger body: 413. Without it there is no limit." },
      },
      foreign: {
        ...{ header: "head", read_timeout: "body", idle_timeout: "idle", write_timeout: "answer" },
        ...{ max_body_size: "body_size", client_max_body_size: "body_size" },
      },
    },
  },
  foreign: {
    ...{
      listen: "host",
      address: "host",
      bind: "host",
      directory: "workers",
      folder: "workers",
      redirect: "redirects",
    },
    ...{ rewrite: "rewrites", metrics: "public_metrics", versions: "keep", port_range: "ports", env: "allow_env" },
    ...{ livereload: "live_reload", static: "public", application: "app", worker: "app" },
  },
} as const;

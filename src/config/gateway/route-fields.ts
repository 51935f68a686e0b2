/** What routes are written with, in warren.yaml and worker.yaml alike. Their content is checked by `route-values.ts`. */

const text = { kind: "text" } as const;

export const HOST_FIELD = {
  kind: "either",
  description: "The host names that it answers to, `www.example.org` or `*.example.org`. Without one: all.",
  forms: [text, { kind: "list", item: text, minItems: 1 }],
} as const;

/** RFC 9110 §9, RFC 5789, RFC 4918 and RFC 3253, as far as they are methods for workers. */
const METHODS = [
  ...["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"],
  ...["PROPFIND", "PROPPATCH", "MKCOL", "COPY", "MOVE", "LOCK", "UNLOCK", "REPORT", "SEARCH"],
];
const method = { kind: "choice", choices: METHODS } as const;

export const METHODS_FIELD = {
  kind: "either",
  description: "The methods that it answers to; GET brings HEAD. Without them: all.",
  forms: [method, { kind: "list", item: method, minItems: 1 }],
} as const;

const RULE = {
  path: { ...text, description: "Itself and everything below it." },
  host: HOST_FIELD,
  methods: METHODS_FIELD,
} as const;

const byPath = {
  kind: "map",
  keyPattern: "^/",
  keyExpected: "a path: it begins with /",
  value: text,
} as const;

export const REWRITES_FIELD = {
  kind: "either",
  description:
    "Paths that lead to other paths, `/old: /new` or a list of records. What follows the path stays; the result is routed again.",
  forms: [
    byPath,
    {
      kind: "list",
      item: {
        kind: "record",
        fields: { ...RULE, to: { ...text, description: "A path; it may have a query." } },
        required: ["path", "to"],
        foreign: { from: "path", source: "path", destination: "to", target: "to", method: "methods", hosts: "host" },
      },
    },
  ],
} as const;

export const REDIRECTS_FIELD = {
  kind: "either",
  description:
    "Paths that the browser is sent on from, `/old: https://example.org/new` or a list of records. What follows the path stays, the query too.",
  forms: [
    byPath,
    {
      kind: "list",
      item: {
        kind: "record",
        fields: {
          ...RULE,
          to: { ...text, description: "A path or an absolute URL." },
          status: { kind: "whole", min: 301, max: 308, default: 307, description: "301, 302, 307 or 308." },
        },
        required: ["path", "to"],
        foreign: {
          ...{ from: "path", source: "path", destination: "to", target: "to", location: "to" },
          ...{ method: "methods", hosts: "host", code: "status" },
        },
      },
    },
  ],
} as const;

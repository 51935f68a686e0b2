import type { ValueOf } from "../field.ts";

/** What a project's config/deployment.yaml may hold. */

const text = { kind: "text" } as const;

const hook = (description: string) =>
  ({
    kind: "either",
    description,
    forms: [text, { kind: "list", item: text }],
  }) as const;

const HOST = {
  kind: "record",
  fields: {
    host: { ...text, description: "`host` or `user@host`, as ssh takes it." },
    port: { kind: "whole", min: 1, max: 65_535, description: "Of ssh. Default: as ssh is configured." },
    path: { ...text, description: "The project's folder there: absolute, or below the home." },
    name: { ...text, description: "What `warren gateway deploy` calls it. Default: the host." },
    warren: { ...text, description: "The command of Warren there. Default: as for all hosts." },
  },
  required: ["host", "path"],
  foreign: { directory: "path", dir: "path", server: "host", hostname: "host", target: "host", user: "host" },
} as const;

export const DEPLOYMENT_FIELDS = {
  kind: "record",
  description: "Where a project is deployed to, and what is run around it.",
  fields: {
    hosts: { kind: "list", item: HOST, minItems: 1, description: "In this order." },
    warren: {
      ...text,
      default: "warren",
      description: "The command of Warren there, when it is not on the PATH of `ssh HOST`; a host's own goes first.",
    },
    ssh_config: { ...text, description: "A file for `ssh -F`, relative to the project." },
    sources: {
      kind: "either",
      default: false,
      forms: [{ kind: "flag" }, { kind: "list", item: text }],
      description: "Workers that are deployed as sources and built there: true for all, or their names.",
    },
    include: {
      kind: "list",
      item: text,
      description: "Files and folders of the project that are copied besides: node_modules, workers/api/private.",
    },
    timeout: { kind: "duration", default: "2m", description: "From the switch until every worker there is healthy." },
    keep: { kind: "whole", min: 1, max: 1_000, default: 5, description: "Versions that stay there for a rollback." },
    hooks: {
      kind: "record",
      description: "Commands, run here in the project's folder, one after the other; one that fails stops the deploy.",
      fields: {
        "pre-build": hook("Before anything is built."),
        "pre-deploy": hook("After the build, before anything is copied to a host."),
        "post-deploy": hook("After the host's workers are healthy; one that fails takes that host back."),
      },
      foreign: { before: "pre-deploy", after: "post-deploy" },
    },
  },
  required: ["hosts"],
  foreign: {
    servers: "hosts",
    targets: "hosts",
    host: "hosts",
    versions: "keep",
    keep_versions: "keep",
    releases: "keep",
  },
} as const;

export type DeploymentFile = ValueOf<typeof DEPLOYMENT_FIELDS>;

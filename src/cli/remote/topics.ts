import type { Topic } from "../topics.ts";

/** The commands of `warren devices` and `warren hubs`, as their help shows them. */
export const DEVICES_TOPICS: readonly Topic[] = [
  { name: "revoke", on: "there", summary: "cut a device off", load: async () => (await import("./revoke.ts")).revoke },
  {
    name: "rename",
    on: "there",
    summary: "give it another name",
    load: async () => (await import("./rename-device.ts")).renameDevice,
  },
  {
    name: "scopes",
    on: "there",
    summary: "change what it may",
    load: async () => (await import("./device-scopes.ts")).deviceScopes,
  },
  {
    name: "allow",
    on: { why: "is for whoever is at that machine", instead: "devices" },
    summary: "let in a device that another one introduces, and that waits",
    load: async () => (await import("./introduced.ts")).allow,
  },
  {
    name: "refuse",
    on: "there",
    summary: "refuse it",
    load: async () => (await import("./introduced.ts")).refuse,
  },
  {
    name: "ask-first",
    on: "there",
    summary: "whether nobody comes in without a yes at this machine",
    load: async () => (await import("./ask-first.ts")).askFirst,
  },
];

export const HUBS_TOPICS: readonly Topic[] = [
  {
    name: "rename",
    on: "there",
    summary: "give a hub another name",
    load: async () => (await import("./rename-hub.ts")).renameHub,
  },
  {
    name: "remove",
    on: "there",
    summary: "leave a hub",
    load: async () => (await import("./remove-hub.ts")).removeHub,
  },
];

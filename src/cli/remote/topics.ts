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

import { Client, type ClientOptions, type Dial } from "../../client/client.ts";

/** As the app greets servers. */
export const APP_NAME = "warren-web";

/** This app as a client of whichever server the lines go to. */
export const appClient = (
  dial: Dial,
  version: string,
  more: Pick<ClientOptions, "followsSession" | "onConnection"> = {},
): Client => new Client({ dial, name: APP_NAME, version, randomId: () => crypto.randomUUID(), ...more });

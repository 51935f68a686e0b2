import { defineCommand } from "../command.ts";
import { SCOPES_HELP, scopesOf } from "../remote/scopes-of.ts";
import { usageError } from "../usage-error.ts";

const DEFAULT_SCOPES = "view,type,approve";

export const pair = defineCommand({
  usage: [
    "pair [--hub ADDRESS] [--scopes SCOPES] [--invitation CODE] [--yes] [--json]",
    "pair CODE [--yes] [--json]          (this machine as a device of another)",
    "pair --for MACHINE [--for MACHINE …] [--hub HUB] [--scopes SCOPES] [--yes] [--json]",
  ],
  details: `Shows a code for one device: a phone's camera reads it, or its link is opened or pasted there. It lives for two minutes, and the first who
uses it is the only one. Who wants to join is shown here, with a check that both ends have; nothing is let in before you say yes.

The hub is where machine and device meet; it reads nothing. Without --hub: the one that this machine knows. A new one is asked about once.

With CODE, as another machine shows it, this one steers that one from then on: warren --on MACHINE list.

With --for the code is good for other machines, which have given this one the scope admin: the device that comes is introduced to each of them, with
scopes that this one has there itself. Each shows it in its warren devices, and asks its person first where it was told to: warren devices ask-first.

${SCOPES_HELP}`,
  examples: [
    { command: "warren pair --hub https://home.example", does: "shows a QR code to scan" },
    { command: "warren pair --for laptop --for desk", does: "one code for two machines that this one steers" },
    { command: "warren pair --scopes view", does: "for a device that may only look" },
    {
      command: "warren pair --hub https://cloud.example --invitation 1f2e3d4c-5b6a7988-97a6b5c4-d3e2f100",
      does: "at a hub whose owner has invited this machine: warren hub invite",
    },
  ],
  options: {
    hub: { type: "string", value: "ADDRESS", description: "of the hub, or its name in warren hubs" },
    scopes: { type: "string", value: "SCOPES", description: `what the device may; default ${DEFAULT_SCOPES}` },
    invitation: {
      type: "string",
      value: "CODE",
      description: "of the hub's owner, for a hub that admits none without",
    },
    for: {
      type: "string",
      multiple: true,
      value: "MACHINE",
      description: "introduce the device to that machine, which this one steers; several times for several",
    },
    yes: { type: "boolean", short: "y", description: "ask nothing: a new hub, and whoever comes with the code" },
    json: { type: "boolean", description: "print a JSON object a line: the code, who came, who joined" },
  },
  operands: { kinds: ["text"], min: 0 },
  async run(context, { values, operands: [code] }) {
    const { output } = context;
    const isYes = values.yes === true;
    const isJson = values.json === true;
    if (code !== undefined) {
      const { joinMachine } = await import("../on/join-machine.ts");
      return joinMachine(context, { code, isYes, isJson });
    }
    const scopes = scopesOf("--scopes", values.scopes ?? DEFAULT_SCOPES);
    const asks = !isJson && output.isTerminal && process.stdin.isTTY === true;
    if (!asks && !isYes)
      throw usageError(
        "Without a terminal nobody can be asked whether the device that comes is the right one.",
        `warren pair${values.hub === undefined ? "" : ` --hub ${values.hub}`} --yes      # lets in the first who has the code`,
      );
    if (values.for) {
      if (context.machine)
        throw usageError(
          "This machine introduces the device, whatever --on says.",
          `warren pair --for ${context.machine.name}`,
        );
      const { runIntroduction } = await import("../remote/introduce-flow.ts");
      return runIntroduction(context, { machines: values.for, hub: values.hub, scopes, isYes, isJson });
    }
    const [{ hubToPair }, { runPairing }] = await Promise.all([
      import("../remote/pair-hub.ts"),
      import("../remote/pair-flow.ts"),
    ]);
    const client = context.ownClient(); // the code lives as long as its connection
    const hub = await hubToPair(context, client, { hub: values.hub, invitation: values.invitation, isYes, asks });
    return runPairing(context, client, { hub, scopes, isYes, isJson });
  },
});

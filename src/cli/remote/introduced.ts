import type { Client } from "../../client/client.ts";
import { WarrenError } from "../../protocol/errors.ts";
import { EXIT } from "../../protocol/outcome.ts";
import type { RemoteIntroduction } from "../../protocol/remote-units.ts";
import { suggest } from "../../protocol/suggest.ts";
import { defineCommand, JSON_OPTION } from "../command.ts";
import { scopesText } from "./scopes-of.ts";

/** A yes or no to a device that another one introduces to this machine, which asks first. */
export const allow = defineCommand({
  usage: ["devices allow NAME [--json]"],
  details: `Lets in a device that another device introduces and that waits, as warren devices shows it. A device waits where this machine asks first
(warren devices ask-first on), for two minutes and a half at most.`,
  examples: [
    { command: "warren devices", does: "shows who waits, and by whose word" },
    { command: "warren devices allow 'Pixel 9'", does: "it comes in, with the scopes that are shown" },
  ],
  options: { json: JSON_OPTION },
  operands: { kinds: ["text"], min: 1 },
  async run({ output, client }, { values, operands: [name = ""] }) {
    const asked = client();
    const { introduction } = await waiting(asked, name);
    const { device } = await asked.request("remote.allow", { introduction });
    if (values.json) output.json(device);
    else output.line(`${output.style.bold(device.name)} is let in, with ${scopesText(device.scopes)}`);
    return EXIT.ok;
  },
});

export const refuse = defineCommand({
  usage: ["devices refuse NAME [--json]"],
  details: "Refuses a device that another device introduces and that waits. Nothing of it is kept, and both hear so.",
  examples: [
    { command: "warren devices", does: "shows who waits, and by whose word" },
    { command: "warren devices refuse 'Pixel 9'", does: "it does not come in" },
  ],
  options: { json: JSON_OPTION },
  operands: { kinds: ["text"], min: 1 },
  async run({ output, client }, { values, operands: [wanted = ""] }) {
    const asked = client();
    const { introduction, name } = await waiting(asked, wanted);
    await asked.request("remote.refuse", { introduction });
    if (values.json) output.json({ name });
    else output.line(`${output.style.bold(name)} is refused`);
    return EXIT.ok;
  },
});

/** @throws INTRODUCTION_NOT_FOUND, INTRODUCTION_AMBIGUOUS */
async function waiting(client: Client, name: string): Promise<RemoteIntroduction> {
  const { introductions = [] } = await client.request("remote.devices", {});
  const found = introductions.filter((one) => one.name === name || one.introduction === name);
  if (found.length === 1) return found[0]!;
  const names = introductions.map((one) => one.name);
  if (found.length > 1)
    throw new WarrenError("INTRODUCTION_AMBIGUOUS", `Several devices that are called ${name} wait.`, {
      fix: `warren devices allow ${found[0]!.introduction}      # warren devices shows the others`,
    });
  const near = suggest(name, names);
  throw new WarrenError(
    "INTRODUCTION_NOT_FOUND",
    `No device called ${name} waits to be let in${near ? `. Did you mean ${near}?` : ""}`,
    { fix: "warren devices", detail: { candidates: names } },
  );
}

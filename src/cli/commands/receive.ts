import { toWire } from "../../protocol/errors.ts";
import { EXIT } from "../../protocol/outcome.ts";
import { defineCommand } from "../command.ts";
import { askedPort } from "../gateway/asked-port.ts";
import { environmentOf } from "../new-job.ts";

export const receive = defineCommand({
  usage: ["receive DIRECTORY [--by NAME]"],
  details:
    "The host's end of `warren gateway deploy`, which runs it over ssh: takes files and orders on standard input and tells what becomes of them, in JSON lines. Nobody types it.",
  examples: [
    { command: "warren receive /srv/site --by me@laptop", does: "as a deploy runs it" },
    { command: "warren receive site", does: "below the home" },
  ],
  options: { by: { type: "string", value: "NAME", description: "who deploys, for others who try to meanwhile" } },
  operands: { kinds: ["file"], min: 1 },
  async run(context, { values, operands }) {
    const { output, env } = context;
    const { receive: take } = await import("../../deploy/receive/receive.ts");
    // The connection may end in the midst of a switch, and that is to come to its end.
    for (const signal of ["SIGHUP", "SIGINT"] as const) process.on(signal, () => {});
    const say = (message: object): void => void output.bytes("stdout", `${JSON.stringify(message)}\n`);
    try {
      await take({
        dir: operands[0]!,
        home: env.HOME ?? context.cwd,
        by: values.by ?? "somebody",
        input: process.stdin,
        say,
        client: context.client(),
        env: environmentOf(env),
        port: askedPort(env),
        nowMs: context.nowMs,
      });
      return EXIT.ok;
    } catch (error) {
      say({ type: "refused", ...toWire(error, "DEPLOY_REFUSED") });
      return EXIT.error;
    }
  },
});

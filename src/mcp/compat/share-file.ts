import { readFile, realpath, stat } from "node:fs/promises";
import { resolve, sep } from "node:path";
import * as z from "zod";
import { messageOf, WarrenError } from "../../protocol/errors.ts";
import { RecipientView, recipientLine, recipientView } from "../mail/message-view.ts";
import { CHANGES, defineTool } from "../tool.ts";
import type { World } from "../world.ts";

/** With its JSON around it, a file that still fits into one message. */
const FILE_BYTES_MAX = 512 * 1024;

export const shareFile = defineTool({
  name: "share_file",
  title: "Send a file",
  description:
    "Sends a text file of this project, up to 512 KB, with a message. On the same machine its path is often enough.",
  annotations: CHANGES,
  input: z.object({
    from_id: z.string().optional().describe("Not needed: it is known who you are."),
    to_id: z.string(),
    filepath: z.string(),
    description: z.string().optional(),
  }),
  output: z.object({ id: z.string(), filepath: z.string(), recipients: z.array(RecipientView) }),
  async run(world, { to_id, filepath, description }, { signal }) {
    const { path, content } = await textOf(world, filepath);
    const said = description === undefined ? "" : ` - ${description}`;
    const { message, recipients } = await world.mail.speak(
      "mail.send",
      {
        to: [to_id],
        body: `Shared file: ${path}${said}`,
        data: { type: "file", filepath: path, content, ...(description === undefined ? {} : { description }) },
      },
      { signal },
    );
    return {
      data: { id: message.id, filepath: path, recipients: recipients.map(recipientView) },
      text: [`Sent ${path} (${message.id}).`, ...recipients.map(recipientLine)].join(" "),
    };
  },
});

/** Files of the project alone, by where they really are: a message must not carry what an agent was talked into sending. @throws FILE_NOT_SENT */
async function textOf({ cwd, mail }: World, filepath: string): Promise<{ path: string; content: string }> {
  const refused = (why: string, cause?: unknown): WarrenError =>
    new WarrenError("FILE_NOT_SENT", `${filepath} was not sent: ${why}.`, { cause });
  try {
    const root = await realpath(mail.identity.project);
    const path = await realpath(resolve(cwd, filepath));
    if (!path.startsWith(root + sep)) throw refused(`it is not in ${root}; send its path, if the other may read it`);
    const { size, isFile } = await stat(path).then((seen) => ({ size: seen.size, isFile: seen.isFile() }));
    if (!isFile) throw refused("it is no regular file");
    if (size > FILE_BYTES_MAX)
      throw refused(`it has ${size} bytes, and at most ${FILE_BYTES_MAX} are sent; send its path`);
    return { path, content: new TextDecoder("utf-8", { fatal: true }).decode(await readFile(path)) };
  } catch (error) {
    throw error instanceof WarrenError ? error : refused(messageOf(error), error);
  }
}

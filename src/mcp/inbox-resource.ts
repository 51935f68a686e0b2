import { type McpServer, ResourceTemplate } from "@modelcontextprotocol/server";
import { WarrenError } from "../protocol/errors.ts";
import { messagesText } from "./mail/message-view.ts";
import type { World } from "./world.ts";

/**
 * `mail://inbox/<name>`: the unread mail of this connection's own name, to look at; it stays unread. Clients that have asked for it are told when mail comes.
 */
const URI = "mail://inbox/";
const SHOWN_COUNT = 20;

/** `era`: in the older one we keep who subscribed; in the newer one the library does. */
export function addInbox(server: McpServer, { mail }: World, era: "legacy" | "modern"): void {
  const metadata = {
    title: "Inbox",
    description: "Unread mail; reading it here changes nothing.",
    mimeType: "text/plain",
  };
  const list = () => {
    const name = mail.identity.name();
    return { resources: name === undefined ? [] : [{ uri: `${URI}${name}`, name: `inbox/${name}`, ...metadata }] };
  };
  server.registerResource("inbox", new ResourceTemplate(`${URI}{name}`, { list }), metadata, async (uri, { name }) => {
    if (name !== mail.identity.name()) {
      throw new WarrenError("NAME_OWNED", `${uri.href} is not your inbox; status says who you are.`);
    }
    const { messages, unread } = await mail.speak("mail.fetch", { peek: true, limit: SHOWN_COUNT });
    const left = unread > 0 ? `\n\n${unread} more.` : "";
    const text = messages.length === 0 ? "No unread mail." : messagesText(messages);
    return { contents: [{ uri: uri.href, mimeType: "text/plain", text: `${text}${left}` }] };
  });
  const subscribed = new Set<string>();
  if (era === "legacy") keepSubscriptions(server, subscribed);
  const closed = new AbortController();
  const { onclose } = server.server;
  server.server.onclose = () => {
    closed.abort();
    onclose?.();
  };
  mail.onChange(({ kind, name }) => {
    if (!server.isConnected()) return;
    const uri = `${URI}${name}`;
    if (kind === "name") server.sendResourceListChanged();
    else if (era === "modern" || subscribed.has(uri)) server.server.sendResourceUpdated({ uri }).catch(() => {});
  }, closed.signal);
}

function keepSubscriptions(server: McpServer, subscribed: Set<string>): void {
  server.server.setRequestHandler("resources/subscribe", ({ params }) => {
    subscribed.add(params.uri);
    return {};
  });
  server.server.setRequestHandler("resources/unsubscribe", ({ params }) => {
    subscribed.delete(params.uri);
    return {};
  });
}

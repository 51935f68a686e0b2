import { innerColumns, innerRows, type Rect } from "../model/layout.ts";
import { type MailEntry, selectedEntry, selectedIndex } from "../model/mail.ts";
import { type MailPanel, mailLayoutOf } from "../model/mail-layout.ts";
import { wholeText } from "../model/mail-list.ts";
import type { Model } from "../model/model.ts";
import { formatAge } from "../text/age.ts";
import { cutEnd } from "../text/width.ts";
import { wrapRows } from "../text/wrap.ts";
import { type FrameOptions, frame } from "./frame.ts";
import { participantRows, trafficRow } from "./mail-rows.ts";
import { arrowOf, harmlessName, receiptsLine } from "./mail-text.ts";
import { glyphOf } from "./states.ts";
import { bold, paint, type Theme } from "./theme.ts";

/** The mail: each panel with exactly as many lines and columns as its place has. */
export function mailPanels(theme: Theme, model: Model): { rect: Rect; lines: string[] }[] {
  const layout = mailLayoutOf(model);
  if (!layout) return [];
  return (Object.entries(layout) as [MailPanel, Rect][]).map(([id, rect]) => ({
    rect,
    lines: frame(theme, { rect, ...contentOf(theme, model, id, rect), focused: isFocused(model, id) }),
  }));
}

const isFocused = ({ mail }: Model, id: MailPanel): boolean => id === mail.focus;

function contentOf(theme: Theme, model: Model, id: MailPanel, rect: Rect): Omit<FrameOptions, "rect"> {
  const { mail } = model;
  const columns = innerColumns(rect);
  switch (id) {
    case "participants":
      return {
        key: "6",
        title: "mail",
        note: paint(theme, "quiet", `you are ${cutEnd(harmlessName(mail.me), 12)}`),
        lines: participantRows(theme, model, columns, innerRows(rect)),
      };
    case "leader":
      return { title: "leader", lines: leaderRows(theme, model, columns) };
    case "traffic":
      return mail.opened ? openedPanel(theme, model, rect) : trafficPanel(theme, model, rect);
    case "message":
      return messagePanel(theme, model, rect);
  }
}

/** Who leads, who would next, who is connected. */
function leaderRows(theme: Theme, { mail, nowMs }: Model, columns: number): string[] {
  const { status, state } = mail;
  const standby = status?.members.find(({ kind }) => kind === "standby");
  if (state === "never") return ["none: no mail was ever sent"];
  if (state === "nobody" || !status) {
    return state === "nobody" ? [paint(theme, "attention", "nobody leads"), "the next message starts one"] : [];
  }
  const { pid, epoch, since, version, port, is_dedicated } = status.leader;
  const age = formatAge(nowMs - Date.parse(since));
  const others = status.members.length - (standby ? 1 : 0);
  return [
    `${paint(theme, "live", glyphOf(theme, "live"))} ${bold(String(pid))} leads, epoch ${epoch}`,
    standby
      ? `${paint(theme, "quiet", glyphOf(theme, "unknown"))} ${standby.pid ?? "?"} stands by`
      : paint(theme, "attention", `${glyphOf(theme, "passing")} no standby yet`),
    paint(theme, "quiet", cutEnd(`since ${age}, v${version}${is_dedicated ? ", dedicated" : ""}`, columns)),
    paint(
      theme,
      "quiet",
      cutEnd(`${others} member${others === 1 ? "" : "s"}, ${port === undefined ? "no port" : `port ${port}`}`, columns),
    ),
  ];
}

function trafficPanel(theme: Theme, model: Model, rect: Rect): Omit<FrameOptions, "rect"> {
  const { mail } = model;
  const columns = innerColumns(rect);
  const rows = innerRows(rect);
  const title = mail.withName === null ? "all messages" : harmlessName(mail.withName);
  if (mail.traffic.length === 0) return { title, lines: emptyRows(theme, model, columns) };
  const at = selectedIndex(mail);
  const shown = mail.traffic.slice(mail.tops.traffic, mail.tops.traffic + rows);
  const isFollowing = mail.selectedSeq === null;
  const place = isFollowing ? "newest" : `${at + 1}/${mail.traffic.length}${mail.hasOlder ? "+" : ""}`;
  return {
    title,
    note: paint(theme, "quiet", stateNote(model) || place),
    lines: shown.map((entry, index) =>
      trafficRow(theme, model, entry, { columns, isSelected: mail.tops.traffic + index === at }),
    ),
  };
}

function stateNote({ mail: { state } }: Model): string {
  if (state === "nobody") return "nobody leads";
  return state === "lost" ? "no answer" : "";
}

function emptyRows(theme: Theme, { mail }: Model, columns: number): string[] {
  const command = (text: string): string => paint(theme, "accent", text);
  const said = (): string[] => {
    switch (mail.state) {
      case "connecting":
        return [paint(theme, "quiet", "connecting")];
      case "lost":
        return ["The mailbox does not answer.", "", command("warren mail status")];
      case "never":
        return [
          "Nobody has sent mail here yet.",
          "",
          command("warren mail send fox 'hello'"),
          "",
          paint(theme, "quiet", "or press w"),
        ];
      case "nobody":
        return [
          "Nobody leads the mailbox now. What was sent is kept;",
          "the next message starts a leader: w writes one.",
          "",
          command("warren mail history"),
        ];
      case "live":
        if (mail.trafficOf !== mail.withName) return [];
        return [
          mail.withName === null ? "There are no messages." : "It has neither sent nor received any.",
          "",
          paint(theme, "quiet", "w writes one"),
        ];
    }
  };
  return said().flatMap((row) => (row.includes("\x1b") ? [row] : wrapRows(row, columns)));
}

/** What the cursor is on: as much as there is room for. */
function messagePanel(theme: Theme, model: Model, rect: Rect): Omit<FrameOptions, "rect"> {
  const entry = selectedEntry(model.mail);
  if (!entry) return { title: "message", lines: [] };
  const columns = innerColumns(rect);
  const rows = innerRows(rect) - 2;
  const text = wrapRows(wholeText(entry), columns);
  const isCut = entry.isCut || text.length > rows;
  return {
    title: `message ${entry.message.seq}`,
    note: isCut ? paint(theme, "quiet", "enter: all of it") : "",
    lines: [...headRows(theme, model, entry, columns), ...text.slice(0, rows)],
  };
}

function openedPanel(theme: Theme, model: Model, rect: Rect): Omit<FrameOptions, "rect"> {
  const { entry, rows, top } = model.mail.opened!;
  const height = innerRows(rect);
  const place = rows.length > height ? `${Math.min(rows.length, top + height)}/${rows.length}, ` : "";
  return {
    title: cutEnd(headText(theme, entry), innerColumns(rect) - 24),
    note: paint(theme, "quiet", `${place}esc closes`),
    lines: rows.slice(top, top + height),
  };
}

const headText = (theme: Theme, { message: { seq, from, addressed_to } }: MailEntry): string =>
  `${seq}  ${harmlessName(from)} ${arrowOf(theme)} ${harmlessName(addressed_to)}`;

function headRows(theme: Theme, { nowMs }: Model, { message, receipts }: MailEntry, columns: number): string[] {
  const { from, addressed_to, subject, kind, sent_at } = message;
  const words = [
    `${harmlessName(from)} ${arrowOf(theme)} ${harmlessName(addressed_to)}`,
    kind === "message" ? "" : kind,
    formatAge(nowMs - Date.parse(sent_at)),
    subject === undefined ? "" : harmlessName(subject),
  ].filter((word) => word !== "");
  return [bold(cutEnd(words.join("  "), columns)), receiptsLine(theme, receipts, columns)];
}

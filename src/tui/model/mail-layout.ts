import { COLUMNS_MIN, leftColumns, type Rect, ROWS_FOR_ALL, ROWS_MIN } from "./layout.ts";
import type { Model } from "./model.ts";

/**
 * Where the panels of the mail stand: participants and who leads at the left, what passes at the right, below it the message that the cursor is on. Where there is
 * no room for both, and while a message is open, the right side is one panel.
 */
export interface MailLayout {
  participants: Rect;
  leader: Rect;
  traffic: Rect;
  /** Absent: opened, a message takes the place of `traffic`. */
  message?: Rect;
}

export type MailPanel = keyof MailLayout;

/** Undefined when the terminal is too small. */
export function mailLayoutOf(model: Model): MailLayout | undefined {
  const { columns, rows } = model;
  if (columns < COLUMNS_MIN || rows < ROWS_MIN) return undefined;
  const height = rows - 1;
  const isTall = rows >= ROWS_FOR_ALL;
  const left = leftColumns(columns);
  const leader = isTall ? 6 : 4;
  const right = { x: left, width: columns - left };
  const traffic = isTall && !model.mail.opened ? Math.round(height * 0.6) : height;
  return {
    participants: { x: 0, y: 0, width: left, height: height - leader },
    leader: { x: 0, y: height - leader, width: left, height: leader },
    traffic: { ...right, y: 0, height: traffic },
    ...(traffic === height ? {} : { message: { ...right, y: traffic, height: height - traffic } }),
  };
}

export function mailPanelAt(layout: MailLayout, x: number, y: number): MailPanel | undefined {
  for (const [id, rect] of Object.entries(layout) as [MailPanel, Rect][])
    if (x >= rect.x && x < rect.x + rect.width && y >= rect.y && y < rect.y + rect.height) return id;
  return undefined;
}

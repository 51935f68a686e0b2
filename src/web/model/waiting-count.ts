import { isSettled, type OutboxItem } from "../../client/remote/outbox-item.ts";

/** How many of the outbox wait, for the way to its page. */
export const waitingCount = (items: readonly OutboxItem[]): number => items.filter((item) => !isSettled(item)).length;

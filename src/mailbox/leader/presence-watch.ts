import type { Participant, Presence } from "../../protocol/mail-units.ts";

/** Who has come or gone since the last look; processes end without telling anybody. */
export class PresenceWatch {
  #before: ReadonlyMap<string, Presence> | undefined;

  /** Nothing at the first look. */
  changed(participants: readonly Participant[]): { name: string; presence: Presence }[] {
    const before = this.#before;
    this.#before = new Map(participants.map(({ name, presence }) => [name, presence]));
    if (!before) return [];
    return participants
      .filter(({ name, presence }) => before.get(name) !== presence)
      .map(({ name, presence }) => ({ name, presence }));
  }

  /** Nobody looks on any more. */
  forget(): void {
    this.#before = undefined;
  }
}

import type { Charset, Core, ExtendedAttributes, ScreenBuffer } from "./xterm-core.ts";

/**
 * DECSC and DECRC as terminals have them: one for each of the two screens, with the place, the attributes and all character sets. The emulator's own keeps
 * neither the sets (only the one in use) nor how text is underlined.
 */
export interface SavedCursor {
  /** Final bytes of G0 to G3. */
  charsets: readonly string[];
  /** Which of them is in use. */
  shift: number;
  maps: readonly Charset[];
  extended: ExtendedAttributes;
}

export class SavedCursors {
  readonly #core: Core;
  readonly #modes: { charsets: string[] };
  readonly #saved = new WeakMap<ScreenBuffer, SavedCursor>();

  constructor(core: Core, modes: { charsets: string[] }) {
    this.#core = core;
    this.#modes = modes;
  }

  of(buffer: ScreenBuffer): SavedCursor | undefined {
    return this.#saved.get(buffer);
  }

  /** In place of the emulator's handler. */
  obey(isSave: boolean): true {
    if (isSave) {
      this.#core._inputHandler.saveCursor();
      this.save();
    } else {
      this.#core._inputHandler.restoreCursor();
      this.restored();
    }
    return true;
  }

  /** The rest of what the emulator saves. */
  save(): void {
    const { buffers, _charsetService, _inputHandler } = this.#core;
    this.#saved.set(buffers.active, {
      charsets: [...this.#modes.charsets],
      shift: _charsetService.glevel,
      maps: [0, 1, 2, 3].map((slot) => _charsetService._charsets[slot]),
      extended: _inputHandler._curAttrData.extended.clone(),
    });
  }

  /** The emulator has restored what it knows of; this is the rest. */
  restored(): void {
    const { buffers, _charsetService, _inputHandler } = this.#core;
    const { charsets, shift, maps, extended } = this.#saved.get(buffers.active) ?? {};
    this.#modes.charsets = [...(charsets ?? ["B", "B", "B", "B"])];
    for (const slot of [0, 1, 2, 3]) _charsetService.setgCharset(slot, maps?.[slot]);
    _charsetService.setgLevel(shift ?? 0);
    const current = _inputHandler._curAttrData;
    const link = current.extended.urlId; // is none of the attributes
    current.extended = extended?.clone() ?? current.extended.clone();
    if (!extended) current.extended._ext = 0;
    current.extended.urlId = link;
    current.updateExtended();
  }

  /** As when nothing was saved. */
  forget(buffer: ScreenBuffer): void {
    this.#saved.delete(buffer);
    buffer.savedX = 0;
    buffer.savedY = buffer.ybase;
    buffer.savedCurAttrData.fg = 0;
    buffer.savedCurAttrData.bg = 0;
  }
}

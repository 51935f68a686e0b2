import type { Use } from "../model/model.ts";
import { padStart } from "../text/width.ts";
import type { Theme } from "./theme.ts";

/** Processor and memory of a unit: two columns of the list where it is wide, else beside what is said of the one that is selected. */

/** From this inner width of the list on. */
const COLUMNS_FOR_USE = 56;
const CPU_COLUMNS = 4;
const MEMORY_COLUMNS = 8;

/** Of a row: empty where the list is narrow, spaces for what uses nothing. */
export function useColumns(use: Use | undefined, columns: number): string {
  if (columns < COLUMNS_FOR_USE) return "";
  return use
    ? `${padStart(use.cpu, CPU_COLUMNS)}${padStart(use.memory, MEMORY_COLUMNS)} `
    : " ".repeat(CPU_COLUMNS + MEMORY_COLUMNS + 1);
}

/** `6% cpu · 125 MB` */
export const useText = ({ cpu, memory }: Use, theme: Theme): string =>
  `${cpu} cpu${theme.glyphs ? " ·" : ","} ${memory}`;

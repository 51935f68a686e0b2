import { projectOf } from "../config/project-of.ts";
import type { Context } from "./context.ts";

/** What "here" means to lists: the project, or without one exactly this directory. */
export const placeOf = (directory: string): string => projectOf(directory) ?? directory;

/** As requests say it. There is no "here" on another machine: everything of it is meant. */
export const placeAsked = ({ cwd, machine }: Pick<Context, "cwd" | "machine">): { workdir?: string } =>
  machine ? {} : { workdir: placeOf(cwd) };

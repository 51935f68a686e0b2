import { projectOf } from "../config/project-of.ts";

/** What "here" means to lists: the project, or without one exactly this directory. */
export const placeOf = (directory: string): string => projectOf(directory) ?? directory;

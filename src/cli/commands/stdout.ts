import { rawStreamCommand } from "../raw-stream.ts";

export const stdout = rawStreamCommand("stdout");

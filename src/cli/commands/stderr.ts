import { rawStreamCommand } from "../raw-stream.ts";

export const stderr = rawStreamCommand("stderr");

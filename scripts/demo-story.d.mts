export const AGENTS: readonly string[];
export function newAgent(name: string): string[];
export const FIRST_PROMPT: readonly string[];
export function webApp(port: string): string[];

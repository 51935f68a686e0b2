/**
 * What a terminal answers by itself to a program's question (where is the cursor, what can you do, which colour): typed by nobody. Only the terminal of whoever is in control may answer;
 * from another one it would be typed text, and would take control. ECMA-48 §8.3.14 and §8.3.24, xterm's ctlseqs: DA, DSR, CPR, DECRPM, focus, OSC colours, DCS answers.
 */
const REPLY =
  /^(?:\x1b\[[?>=]?[\d;]*(?:\$y|[cnRIO])|\x1b\](?:4|10|11|12|52);[^\x07\x1b]*(?:\x07|\x1b\\)|\x1bP[^\x1b]*\x1b\\)+$/;

export const isReply = (data: string): boolean => data.length > 2 && REPLY.test(data);

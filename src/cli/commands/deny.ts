import { defineCommand, JSON_OPTION } from "../command.ts";
import { answerQuestion } from "../sessions/answer-question.ts";

export const deny = defineCommand({
  usage: ["deny SESSION"],
  details: "Refuses what an agent asks for: the oldest of its open questions. What it does then is its own affair.",
  examples: [
    { command: "warren deny fox", does: "says no" },
    { command: "warren deny fox && warren cancel fox", does: "and stops the turn" },
  ],
  options: { json: JSON_OPTION },
  operands: { kinds: ["session"], min: 1 },
  run(context, { values, operands }) {
    return answerQuestion(context, operands[0]!, { verb: "deny", choice: "deny", json: values.json === true });
  },
});

import { defineCommand, JSON_OPTION } from "../command.ts";
import { answerQuestion } from "../sessions/answer-question.ts";

export const approve = defineCommand({
  usage: ["approve SESSION [--always | --option ID]"],
  details:
    "Allows what an agent asks for: the oldest of its open questions. The first answer counts; who comes later is told who was faster.",
  examples: [
    { command: "warren approve fox", does: "this once" },
    { command: "warren approve fox --always", does: "and it need not ask again" },
  ],
  options: {
    always: { type: "boolean", short: "a", description: "now and from now on" },
    option: { type: "string", value: "ID", description: "the answer with this id, of those that it offers" },
    json: JSON_OPTION,
  },
  operands: { kinds: ["session"], min: 1 },
  run(context, { values, operands }) {
    const choice = values.option ?? (values.always ? "always" : "allow");
    return answerQuestion(context, operands[0]!, { verb: "approve", choice, json: values.json === true });
  },
});

import { type ReactNode, useState } from "react";
import type { ItemOf } from "../../protocol/conversation.ts";
import { plainText } from "../model/plain-text.ts";
import { ToolBody } from "./ToolCall.tsx";

/** What an agent asks for, with the exact command or change, above the keyboard. */
export function PermissionCard({
  question,
  tool,
  onAnswer,
}: {
  question: ItemOf<"permission">;
  tool: ItemOf<"tool_call"> | undefined;
  onAnswer: (choice: string) => Promise<boolean>;
}): ReactNode {
  const [isBusy, setBusy] = useState(false);
  const answer = async (choice: string): Promise<void> => {
    setBusy(true);
    await onAnswer(choice);
    setBusy(false);
  };
  return (
    <section className="card permission" aria-label={`Question: ${question.title}`}>
      <h2>
        <span aria-hidden="true">◆</span> {plainText(question.title)}
      </h2>
      {tool && (
        <div className="card-body">
          <ToolBody item={tool} />
        </div>
      )}
      <div className="actions">
        {question.options.map(({ optionId, name, kind }) => (
          <button
            key={optionId}
            type="button"
            className={kind === "allow_once" ? "primary" : ""}
            data-choice={kind}
            disabled={isBusy}
            onClick={() => void answer(optionId)}
          >
            {plainText(name)}
          </button>
        ))}
      </div>
    </section>
  );
}

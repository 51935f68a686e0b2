import { type ReactNode, useEffect, useLayoutEffect, useRef, useState } from "react";
import type { ItemOf, PermissionOption } from "../../protocol/conversation.ts";
import { plainText } from "../model/plain-text.ts";
import { TAKES_KEYS_AFTER_MS } from "../model/takes-keys.ts";
import { shortPath } from "../model/text.ts";
import { useSettings } from "./settings.tsx";
import { useSwipe } from "./swipe.ts";
import { ToolBody } from "./ToolCall.tsx";
import { useApp } from "./world.ts";

/** What an agent asks for, with the exact command or change, and nothing but its own options to answer with. */
export interface PermissionCardProps {
  question: ItemOf<"permission">;
  tool: ItemOf<"tool_call"> | undefined;
  directory: string;
  /** Who asks, and where; in the conversation itself it is known. */
  where?: ReactNode;
  /** In place of the buttons: why it cannot be answered here, or what became of the answer. */
  instead?: ReactNode;
  onAnswer: (choice: string) => Promise<boolean>;
}

export function PermissionCard(props: PermissionCardProps): ReactNode {
  const { question, tool, directory, where, instead, onAnswer } = props;
  const card = useRef<HTMLElement>(null);
  const isReady = useReady();
  const { isBusy, sure, choose } = useChoice(question.options, onAnswer);
  const { armAllow, armDeny } = armsOf(question.options, choose);
  useSwipe(card, instead === undefined ? { onRight: armAllow, onLeft: armDeny } : {});
  return (
    <section
      ref={card}
      className="card permission"
      tabIndex={-1}
      aria-label={`Question: ${question.title}`}
      data-takes-keys={isReady && instead === undefined}
    >
      {where}
      <h2>
        <span aria-hidden="true">◆</span> {plainText(question.title)}
      </h2>
      {tool && tool.title !== question.title && <p className="plain">{plainText(tool.title)}</p>}
      {tool && hasBody(tool) && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reachable by keys
        <section className="card-body" tabIndex={0} aria-label={`What ${question.title} is about`}>
          <ToolBody item={tool} />
        </section>
      )}
      <p className="project">
        {tool?.tool_kind !== undefined && tool.tool_kind !== "other" && `${tool.tool_kind} · `}in{" "}
        <span title={directory}>{shortPath(directory, 60)}</span>
      </p>
      {tool?.raw_input !== undefined && tool.raw_input !== null && <Arguments input={tool.raw_input} />}
      {instead ?? (
        <div className="actions">
          {question.options.map((option) => (
            <button
              key={option.optionId}
              type="button"
              className={sure === option.optionId ? "danger" : option.kind === "allow_once" ? "primary" : ""}
              data-choice={option.kind}
              disabled={isBusy}
              onClick={() => choose(option, "press")}
              onBlur={() => choose(option, "leave")}
            >
              {sure === option.optionId ? `Sure? ${plainText(option.name)}` : plainText(option.name)}
            </button>
          ))}
        </div>
      )}
    </section>
  );
}

/** There is something to show besides its title. */
const hasBody = ({ raw_input, locations, content }: ItemOf<"tool_call">): boolean =>
  content.length > 0 || locations.length > 0 || (raw_input !== undefined && raw_input !== null);

/** Everything that the tool is given, as it is. */
function Arguments({ input }: { input: unknown }): ReactNode {
  return (
    <details className="arguments">
      <summary>Arguments in full</summary>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reachable by keys */}
      <pre tabIndex={0}>{plainText(typeof input === "string" ? input : JSON.stringify(input, null, 2))}</pre>
    </details>
  );
}

type How = "press" | "arm" | "leave";

/** `arm`: by a swipe, which a tap has to confirm. Whoever has said so in the settings is asked once more before anything is allowed. */
function useChoice(
  options: readonly PermissionOption[],
  onAnswer: (choice: string) => Promise<boolean>,
): { isBusy: boolean; sure: string | undefined; choose: (option: PermissionOption, how: How) => void } {
  const { confirmApprove } = useSettings();
  const [isBusy, setBusy] = useState(false);
  const [sure, setSure] = useState<string>();
  const choose = ({ optionId, kind }: PermissionOption, how: How): void => {
    if (how === "leave") return setSure((now) => (now === optionId ? undefined : now));
    const mustAsk = how === "arm" || (confirmApprove && kind.startsWith("allow"));
    if (mustAsk && sure !== optionId) return setSure(optionId);
    setSure(undefined);
    setBusy(true);
    void onAnswer(optionId).finally(() => setBusy(false));
  };
  return { isBusy, sure: options.some(({ optionId }) => optionId === sure) ? sure : undefined, choose };
}

function armsOf(options: readonly PermissionOption[], choose: (option: PermissionOption, how: How) => void) {
  const arm = (kind: string): (() => void) | undefined => {
    const option = options.find((one) => one.kind === kind);
    return option && (() => choose(option, "arm"));
  };
  return { armAllow: arm("allow_once"), armDeny: arm("reject_once") };
}

function useReady(): boolean {
  const { questions } = useApp();
  const [isReady, setReady] = useState(false);
  // Not after the paint: the next key may come before it.
  useLayoutEffect(
    () => () => {
      questions.goneMs = performance.now();
    },
    [questions],
  );
  useEffect(() => {
    const timer = setTimeout(() => setReady(true), TAKES_KEYS_AFTER_MS);
    return () => clearTimeout(timer);
  }, []);
  return isReady;
}

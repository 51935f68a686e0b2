import type { ReactNode } from "react";
import type { Worker } from "../../protocol/gateway-units.ts";
import { plainText } from "../model/plain-text.ts";
import { bytes } from "../model/text.ts";
import { Facts } from "./Facts.tsx";

/** How a worker is: where it is served, by which instances, and why it does not when it does not. */
export function WorkerPage({ worker }: { worker: Worker }): ReactNode {
  const { failure } = worker;
  return (
    <div className="scroll">
      <Facts
        facts={[
          ["Route", worker.route],
          [
            "Address",
            worker.url && (
              <a href={worker.url} target="_blank" rel="noreferrer">
                {worker.url}
              </a>
            ),
          ],
          ["Version", worker.version],
          ["Requests", worker.requests === undefined ? undefined : `${worker.requests}, ${worker.failed ?? 0} failed`],
          ["Median", worker.p50_ms === undefined ? undefined : `${worker.p50_ms.toFixed(1)} ms`],
          ["99 of 100 below", worker.p99_ms === undefined ? undefined : `${worker.p99_ms.toFixed(1)} ms`],
          ["Memory", worker.memory_bytes === undefined ? undefined : bytes(worker.memory_bytes)],
          ["Why", worker.reason],
        ]}
      />
      {failure && (
        <section className="log" aria-label="Failure">
          <h2 className="tone-bad">✗ {failure.message}</h2>
          {failure.places.map(({ file, line, column, message, frame }) => (
            <div key={`${file}:${line}:${column}`}>
              <p>
                <code>
                  {file}:{line}:{column}
                </code>{" "}
                {message}
              </p>
              {frame.length > 0 && <pre>{plainText(frame.join("\n"))}</pre>}
            </div>
          ))}
          {failure.output.length > 0 && <pre>{plainText(failure.output.join("\n"))}</pre>}
        </section>
      )}
      {worker.instances.length > 0 && (
        <section aria-label="Instances">
          <h2>Instances</h2>
          <ul className="history">
            {worker.instances.map(({ id, state, port, pid, version }) => (
              <li key={id}>
                {state} · version {version}
                {port !== undefined && ` · :${port}`}
                {pid !== undefined && ` · pid ${pid}`}
              </li>
            ))}
          </ul>
        </section>
      )}
    </div>
  );
}

import { type FormEvent, type ReactNode, useState } from "react";
import { isWarrenError, messageOf } from "../../protocol/errors.ts";
import { badgeOf, freshness, isLive } from "../model/fleet.ts";
import { sessionsOf } from "../model/home.ts";
import { LOCAL } from "../model/rows.ts";
import { splitCommand } from "../model/text.ts";
import { wholePath } from "../store/whole-path.ts";
import { CopyCommand } from "./CopyCommand.tsx";
import { HubBadge } from "./HubBadge.tsx";
import { OfMachine } from "./OfMachine.tsx";
import { useSettings } from "./settings.tsx";
import { go, useFleet, useHome, useNow, useWorld } from "./world.ts";

/** A new session, on any machine. */
export function NewPage(): ReactNode {
  const fleet = useFleet();
  const main = useWorld().machine.id;
  const nowMs = useNow();
  const [chosen, setChosen] = useState<string>();
  const machines = [...fleet.machines.values()];
  const id = chosen !== undefined && fleet.machines.has(chosen) ? chosen : main;
  return (
    <div className="scroll">
      <h1>New session</h1>
      {machines.length > 1 && (
        <fieldset className="kinds machines">
          <legend>Machine</legend>
          {machines.map((machine) => (
            <label key={machine.id}>
              <input type="radio" name="machine" checked={machine.id === id} onChange={() => setChosen(machine.id)} />
              {machine.name}
              <HubBadge label={badgeOf(fleet, machine.id)} />
              {!isLive(machine) && <span className="project">{freshness(machine.home.confirmedMs ?? 0, nowMs)}</span>}
            </label>
          ))}
        </fieldset>
      )}
      <OfMachine id={id}>
        <NewSession key={id} />
      </OfMachine>
    </div>
  );
}

/** A program in a terminal, or an agent to talk with. */
function NewSession(): ReactNode {
  const { feed, machine } = useWorld();
  const home = useHome();
  const usualDir = useSettings().defaultDirectory.trim() || "~";
  const [kind, setKind] = useState<"session" | "agent">("session");
  const [line, setLine] = useState("");
  const [dir, setDir] = useState("");
  const [name, setName] = useState("");
  const [failed, setFailed] = useState<{ text: string; fix: string | undefined }>();
  const isThere = home.way.kind === "live";
  const [isBusy, setBusy] = useState(false);
  const dirs = [...new Set([...sessionsOf(home), ...home.jobs.values()].map(({ workdir }) => workdir))].sort();
  const start = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    setFailed(undefined);
    try {
      const command = splitCommand(line.trim() || "sh");
      const workdir = await wholePath(feed.client, dir.trim() || usualDir);
      const { session } = await feed.client.request("session.new", {
        ...(kind === "agent" ? { agent: command } : { command }),
        workdir,
        env: [], // the server's own
        ...(name.trim() === "" ? {} : { name: name.trim() }),
      });
      go({
        page: "unit",
        kind: session.kind,
        id: session.id,
        ...(machine.id === LOCAL ? {} : { machine: machine.id }),
      });
    } catch (error) {
      setFailed({ text: messageOf(error), fix: isWarrenError(error) ? error.fix : undefined });
    }
    setBusy(false);
  };
  return (
    <form className="form" onSubmit={(event) => void start(event)}>
      <fieldset className="kinds">
        <legend>What</legend>
        <label>
          <input type="radio" name="kind" checked={kind === "session"} onChange={() => setKind("session")} />
          Program in a terminal
        </label>
        <label>
          <input type="radio" name="kind" checked={kind === "agent"} onChange={() => setKind("agent")} />
          Agent (ACP)
        </label>
      </fieldset>
      <label>
        Command
        <input
          value={line}
          placeholder={kind === "agent" ? "a program that speaks ACP" : "sh"}
          required={kind === "agent"}
          autoComplete="off"
          autoCapitalize="off"
          spellCheck={false}
          onChange={({ target }) => setLine(target.value)}
        />
      </label>
      <label>
        Directory
        <input
          value={dir}
          placeholder={usualDir}
          list="directories"
          autoComplete="off"
          autoCapitalize="off"
          spellCheck={false}
          onChange={({ target }) => setDir(target.value)}
        />
      </label>
      <datalist id="directories">
        {dirs.map((one) => (
          <option key={one} value={one} />
        ))}
      </datalist>
      <label>
        Name
        <input
          value={name}
          placeholder="chosen for you"
          autoComplete="off"
          autoCapitalize="off"
          onChange={({ target }) => setName(target.value)}
        />
      </label>
      {failed !== undefined && (
        <div role="alert">
          <p className="tone-bad">✗ {failed.text}</p>
          {failed.fix !== undefined && <CopyCommand command={failed.fix} />}
        </div>
      )}
      {!isThere && <p className="words">A session can be started when its machine is there.</p>}
      <button type="submit" className="primary" disabled={isBusy || !isThere}>
        {isBusy ? "Starting …" : "Start"}
      </button>
    </form>
  );
}

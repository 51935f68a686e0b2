/**
 * The systemd user unit that starts Warren with the machine. `KillMode=process`: stopping the unit, as a logout or an upgrade of it does, ends the
 * foreground command alone and no job. `--boot` brings back the jobs that are marked autostart (systemd.service(5), systemd.exec(5)).
 */
export interface UnitOptions {
  /** The launcher. */
  program: string;
  home: string;
  /** PATH of the shell that enabled it: the unit's own would not find a person's programs. */
  path: string;
}

export function unitText({ program, home, path }: UnitOptions): string {
  return `[Unit]
Description=Warren keeps jobs running (${escaped(home)})

[Service]
Type=exec
ExecStart=${quoted(program)} serve --foreground --boot
Environment=${quoted(`WARREN_HOME=${home}`)}
Environment=${quoted(`PATH=${path}`)}
KillMode=process
Restart=on-failure
RestartSec=1s

[Install]
WantedBy=default.target
`;
}

/** `%` begins a specifier. */
const escaped = (text: string): string => text.replaceAll("%", "%%");

const quoted = (text: string): string => `"${escaped(text).replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { isWarrenError } from "../../protocol/errors.ts";
import { formatProblem, type Problem } from "../problems.ts";
import { loadDeployment } from "./deployment.ts";
import { temporaryProject } from "./project-fixture.ts";

test("deployment.yaml: hosts, versions and hooks arrive", async () => {
  await using project = await temporaryProject({
    "config/deployment.yaml": `
hosts:
  - { host: me@web1.example.org, path: /srv/site/, port: 2222, name: one }
  - { host: "[::1]", path: my site, warren: env A=1 w }
keep: 3
warren: /opt/warren/bin/warren
ssh_config: config/ssh
sources: [api]
include: [node_modules]
timeout: 5s
hooks:
  pre-build: npm test
  pre-deploy: [npm run lint, "echo $HOME"]
`,
  });
  assert.deepEqual(await loadDeployment(project.dir), {
    file: join(project.dir, "config/deployment.yaml"),
    hosts: [
      {
        ...{ name: "one", destination: "me@web1.example.org", port: 2222, path: "/srv/site" },
        ...{ warren: ["/opt/warren/bin/warren"], sshConfig: join(project.dir, "config/ssh") },
      },
      {
        ...{ name: "[::1]", destination: "[::1]", path: "my site" },
        ...{ warren: ["env", "A=1", "w"], sshConfig: join(project.dir, "config/ssh") },
      },
    ],
    keepCount: 3,
    sources: ["api"],
    include: [join(project.dir, "node_modules")],
    timeoutMs: 5_000,
    hooks: {
      preBuild: [["npm", "test"]],
      preDeploy: [
        ["npm", "run", "lint"],
        ["sh", "-c", "echo $HOME"],
      ],
      postDeploy: [],
    },
  });
});

test("deployment.yaml: what ssh or a shell would take for something else is refused, all problems at once", async () => {
  await using project = await temporaryProject({
    "config/deployment.yaml": `hosts:
  - { host: -oProxyCommand=x, path: /srv/site }
  - { host: web1, path: "/srv/$(x)" }
  - { host: "web2:22", path: ~/site }
  - { host: web3, path: ../site }
  - { host: web1, path: / }
  - { host: web4 }
hooks:
  pre_build: x
  post-deploy: ["a 'b"]
kep: 3
include: [../x]
`,
  });
  const problems = await problemsOf(project.dir);
  const expected = [
    /^2:13 hosts\[0\].host: must be host or user@host, not "-oProxyCommand=x"/,
    /^3:25 hosts\[1\].path: must be a path of letters/,
    /^4:13 hosts\[2\].host: .*did you mean "host: web2, port: 22"\?/,
    /^4:30 hosts\[2\].path: "~\/site" has a ~; .*did you mean "site"\?/,
    /^5:25 hosts\[3\].path: "..\/site" leads upwards/,
    /^6:5 hosts\[4\]: web1 is the name of another host/,
    /^6:25 hosts\[4\].path: "\/" is no folder of its own/,
    /^7:5 hosts\[5\]: "path" is missing/,
    /^9:3 hooks.pre_build: .*did you mean "pre-build"\?/,
    /^10:17 hooks.post-deploy\[0\]: the single quote/,
    /^11:1 kep: .*did you mean "keep"\?/,
    /^12:11 include\[0\]: "..\/x" is no part of the project/,
  ];
  assert.equal(problems.length, expected.length, problems.join("\n"));
  for (const [index, pattern] of expected.entries()) assert.match(problems[index]!, pattern);
});

test("deployment.yaml: without one it says what to type, and that makes one", async () => {
  await using project = await temporaryProject({ "my site/": "" }); // without config/
  const dir = join(project.dir, "my site");
  await assert.rejects(loadDeployment(dir), (error) => {
    assert.ok(isWarrenError(error, "CONFIG_NOT_FOUND"));
    execFileSync("sh", ["-c", error.fix ?? "false"]);
    return true;
  });
  const [host] = (await loadDeployment(dir)).hosts;
  assert.deepEqual([host?.destination, host?.path], ["user@host", "/srv/site"]);
});

async function problemsOf(dir: string): Promise<string[]> {
  const error = await loadDeployment(dir).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.ok(isWarrenError(error, "CONFIG_INVALID"));
  const file = join(dir, "config/deployment.yaml");
  return (error.detail?.problems as Problem[]).map((problem) => formatProblem(problem).replace(`${file}:`, ""));
}

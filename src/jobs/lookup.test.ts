import assert from "node:assert/strict";
import { test } from "node:test";
import { isWarrenError, type WarrenError } from "../protocol/errors.ts";
import { JobsFixture } from "./jobs-fixture.ts";

const thrown = (work: () => unknown): WarrenError => {
  try {
    work();
  } catch (error) {
    if (isWarrenError(error)) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
};

test("find: an id, a bare name, a project's name before it, the server's before it", async () => {
  await using fixture = await JobsFixture.make();
  const { jobs } = fixture;
  const { id } = jobs.create(fixture.spec("one", { name: "web", workdir: "/srv/site" })).job;
  for (const ref of [id, "web", "site/web", "blazing/web"]) assert.equal(jobs.find(ref).id, id, ref);
  for (const ref of ["api/web", "frozen/web", "web2", "site/", "", "/"])
    assert.equal(thrown(() => jobs.find(ref)).code, "JOB_NOT_FOUND", ref);
});

test("find: a bare name is looked up in the innermost project around the directory, then in the home", async () => {
  await using fixture = await JobsFixture.make();
  const { jobs } = fixture;
  const make = (workdir: string) => jobs.create(fixture.spec(workdir, { name: "web", workdir })).job.id;
  const [outer, inner, other] = [make("/srv/site"), make("/srv/site/api"), make("/srv/site-two")];
  assert.equal(jobs.find("web", "/srv/site").id, outer);
  assert.equal(jobs.find("web", "/srv/site/docs").id, outer);
  assert.equal(jobs.find("web", "/srv/site/api/src").id, inner);
  assert.equal(jobs.find("web", "/srv/site-two").id, other, "a directory is no prefix of its neighbour");
  assert.equal(jobs.find("site-two/web", "/srv/site").id, other, "what is said wins over where one is");
});

test("find: an ambiguous name lists what was meant", async () => {
  await using fixture = await JobsFixture.make();
  const { jobs } = fixture;
  const ids = ["/a", "/b"].map((workdir) => jobs.create(fixture.spec("x", { name: "web", workdir })).job.id);
  const error = thrown(() => jobs.find("web", "/elsewhere"));
  assert.equal(error.code, "JOB_AMBIGUOUS");
  assert.deepEqual((error.detail?.candidates as string[]).toSorted(), ids.toSorted());
  for (const id of ids) assert.ok(error.message.includes(id));
});

test("find: the suggestion is a name of the directory before one of the home", async () => {
  await using fixture = await JobsFixture.make();
  const { jobs } = fixture;
  jobs.create(fixture.spec("x", { name: "worker", workdir: "/a" }));
  jobs.create(fixture.spec("x", { name: "wurker", workdir: "/b" }));
  assert.equal(thrown(() => jobs.find("werker", "/b")).detail?.suggestion, "wurker");
  assert.equal(thrown(() => jobs.find("nothing-like-it")).detail, undefined);
});

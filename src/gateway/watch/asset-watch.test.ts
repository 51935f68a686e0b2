import assert from "node:assert/strict";
import { mkdir, rename, rm, symlink, unlink, utimes } from "node:fs/promises";
import { test } from "node:test";
import { WatchFixture } from "./watch-fixture.ts";

/** What is told after it has been quiet. */
async function changes(fixture: WatchFixture): Promise<string[]> {
  const before = fixture.of("api").length;
  await fixture.told();
  fixture.clock.pass(50);
  return fixture.of("api").slice(before);
}

test("assets: style sheets and others are told apart, together once it is quiet", async () => {
  await using fixture = await WatchFixture.make();
  const { project, assets } = fixture;
  await project.write("public/css/app.css", "a{}");
  const logo = await project.write("public/logo.svg", "1");
  assets.add("api", project.path("public"));
  await project.write("public/css/app.css", "b{}");
  assert.deepEqual(await changes(fixture), [`assets api {"css":["/css/app.css"],"others":[]}`]);
  await project.write("public/css/more.css", "c{}");
  await project.write("public/.logo.svg.swp", "2");
  await unlink(logo);
  assert.deepEqual(await changes(fixture), [`assets api {"css":["/css/more.css"],"others":["/logo.svg"]}`]);
  await project.write("public/logo.svg.tmp.1", "2");
  await rename(project.path("public/logo.svg.tmp.1"), logo);
  assert.deepEqual(await changes(fixture), [`assets api {"css":[],"others":["/logo.svg"]}`]);
});

test("assets: what is the same is not told", async () => {
  await using fixture = await WatchFixture.make();
  const { project, assets } = fixture;
  const path = await project.write("public/app.css", "a{}");
  await utimes(path, 1, 1);
  assets.add("api", project.path("public"));
  await utimes(path, 2, 1);
  assert.deepEqual(await changes(fixture), []);
});

test("assets: folders that come with what is in them, and go; the whole folder too", async () => {
  await using fixture = await WatchFixture.make();
  const { project, assets } = fixture;
  assets.add("api", project.path("workers/api/public"));
  await project.write("workers/api/public/a/b.css", "a{}");
  assert.deepEqual(await changes(fixture), [`assets api {"css":["/a/b.css"],"others":[]}`]);
  await mkdir(project.path("aside/c"), { recursive: true });
  await project.write("aside/c/d.js", "1");
  await rename(project.path("aside/c"), project.path("workers/api/public/c"));
  assert.deepEqual(await changes(fixture), [`assets api {"css":[],"others":["/c/d.js"]}`]);
  await project.write("workers/api/public/c/d.js", "22");
  assert.deepEqual(await changes(fixture), [`assets api {"css":[],"others":["/c/d.js"]}`]);
  await rm(project.path("workers/api/public"), { recursive: true });
  assert.deepEqual(await changes(fixture), [`assets api {"css":["/a/b.css"],"others":["/c/d.js"]}`]);
  await project.write("workers/api/public/e.css", "a{}");
  assert.deepEqual(await changes(fixture), [`assets api {"css":["/e.css"],"others":[]}`]);
  assets.remove("api");
  await project.write("workers/api/public/e.css", "bb{}");
  assert.deepEqual(await changes(fixture), []);
});

test("assets: following again what is followed already loses nothing that is about to be told; what is named no more is let go", async () => {
  await using fixture = await WatchFixture.make();
  const { project, assets } = fixture;
  await project.write("public/app.js", "1");
  await project.write("elsewhere/app.js", "1");
  const roots = new Map([["api", project.path("public")]]);
  assets.follow(roots);
  await project.write("public/app.js", "2");
  await fixture.told();
  assets.follow(new Map([...roots, ["web", project.path("elsewhere")]]));
  fixture.clock.pass(50);
  assert.deepEqual(fixture.of("api"), ['assets api {"css":[],"others":["/app.js"]}']);
  assets.follow(new Map());
  await project.write("public/app.js", "3");
  assert.deepEqual(await changes(fixture), []);
});

test("assets: a link that leads to itself is passed over, there before or come since", async () => {
  await using fixture = await WatchFixture.make();
  const { project, assets } = fixture;
  await project.write("public/app.js", "1");
  await symlink(project.path("public/loop"), project.path("public/loop"));
  assets.add("api", project.path("public"));
  await symlink(project.path("public/later"), project.path("public/later"));
  await project.write("public/app.js", "2");
  assert.deepEqual(await changes(fixture), ['assets api {"css":[],"others":["/app.js"]}']);
});

test("assets: a folder that is a link which leads to itself is waited for", async () => {
  await using fixture = await WatchFixture.make();
  const { project, assets } = fixture;
  await symlink(project.path("public"), project.path("public"));
  assets.add("api", project.path("public"));
  await unlink(project.path("public"));
  await project.write("public/app.js", "1");
  assert.deepEqual(await changes(fixture), ['assets api {"css":[],"others":["/app.js"]}']);
});

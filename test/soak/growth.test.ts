import assert from "node:assert/strict";
import { test } from "node:test";
import { type Random, randomOf } from "../harness/random.ts";
import { type Allowance, growthOf } from "./growth.ts";

/** An hour of looks, each ten seconds. */
const LOOKS = 360;
const MEMORY: Allowance = { absolute: 3, share: 0.04 };
const COUNTS: Allowance = { absolute: 3, share: 0.05 };

const series = (at: (look: number) => number, looks = LOOKS): number[] =>
  Array.from({ length: looks }, (_, look) => at(look));

/** Ten seeds: a verdict must not hang on the noise. */
function eachSeed(check: (random: Random) => void): void {
  for (let seed = 1; seed <= 10; seed++) check(randomOf(seed));
}

test("growth: what only swings is steady", () => {
  eachSeed((random) => {
    assert.equal(
      growthOf(
        series(() => 60 + random.between(-8, 8)),
        MEMORY,
      ).kind,
      "steady",
    );
    assert.equal(
      growthOf(
        series(() => 40 + random.between(-6, 6)),
        COUNTS,
      ).kind,
      "steady",
    );
  });
});

test("growth: a leak is found, however small against the swing", () => {
  eachSeed((random) => {
    const leaking = series((look) => 60 + random.between(-4, 4) + (look / LOOKS) * 30);
    assert.equal(growthOf(leaking, MEMORY).kind, "grows");
    const oneEachMinute = series((look) => 40 + random.between(-2, 2) + Math.floor(look / 6));
    assert.equal(growthOf(oneEachMinute, COUNTS).kind, "grows");
  });
});

test("growth: a leak of a few minutes' run is found too", () => {
  const leaking = series((look) => 30 + look / 2, 60);
  assert.equal(growthOf(leaking, COUNTS).kind, "grows");
});

test("growth: warming up is not", () => {
  eachSeed((random) => {
    const filled = series((look) => 50 + 80 * Math.min(1, look / (LOOKS / 2)) + random.between(-3, 3));
    assert.equal(growthOf(filled, MEMORY).kind, "steady");
  });
});

test("growth: one step is not, wherever it comes", () => {
  for (let step = 0; step < LOOKS; step++)
    assert.equal(
      growthOf(
        series((look) => (look < step ? 50 : 90)),
        MEMORY,
      ).kind,
      "steady",
      `step at ${step}`,
    );
});

test("growth: nor is a saw whose teeth are shorter than a window", () => {
  for (const tooth of [6, 17, 30])
    assert.equal(
      growthOf(
        series((look) => 50 + 40 * ((look % tooth) / tooth)),
        MEMORY,
      ).kind,
      "steady",
      `${tooth}`,
    );
});

test("growth: a leak under a saw is found", () => {
  assert.equal(
    growthOf(
      series((look) => 50 + 40 * ((look % 17) / 17) + look / 8),
      MEMORY,
    ).kind,
    "grows",
  );
});

test("growth: peaks do not hide or make one", () => {
  const withPeaks = (at: (look: number) => number): number[] => series((look) => at(look) * (look % 5 === 0 ? 2 : 1));
  assert.equal(
    growthOf(
      withPeaks(() => 50),
      MEMORY,
    ).kind,
    "steady",
  );
  assert.equal(
    growthOf(
      withPeaks((look) => 50 + look / 10),
      MEMORY,
    ).kind,
    "grows",
  );
});

test("growth: what shrinks is steady; too few looks are no verdict", () => {
  assert.equal(
    growthOf(
      series((look) => 100 - look / 5),
      MEMORY,
    ).kind,
    "steady",
  );
  assert.deepEqual(growthOf([1, 2, 3, 400], MEMORY), { kind: "too few", levels: [], peak: 400 });
});

import { WarrenError } from "../protocol/errors.ts";
import type { Scope } from "../sealing/scopes.ts";

/** Why a device that another one introduces does not come in, in words for the person who holds the one that introduces. */

export const introducerMayNot = (name: string, missing: readonly Scope[]): WarrenError =>
  new WarrenError(
    "FORBIDDEN",
    `The device ${name} cannot give another one ${missing.join(" and ")}, which it does not have itself.`,
    { fix: "warren devices      # on that machine: who may what" },
  );

export const introducerGone = (): WarrenError =>
  new WarrenError("INTRODUCER_REVOKED", "The device that introduces is not let in any more itself. Nobody came in.", {
    fix: "warren pair      # on that machine",
  });

export const introductionBroken = (): WarrenError =>
  new WarrenError(
    "INTRODUCTION_BROKEN",
    "The new device has not confirmed the keys that it was introduced with, so it was not let in.",
    {
      fix: "introduce it anew, with a new code",
    },
  );

export const introductionUsed = (): WarrenError =>
  new WarrenError("INTRODUCTION_USED", "Another device has used this introduction already.", {
    fix: "introduce it anew, with a new code",
  });

export const introductionsFull = (limit: number): WarrenError =>
  new WarrenError("INTRODUCTIONS_FULL", `${limit} devices are being introduced here already.`, {
    fix: "warren devices      # on that machine: allow or refuse those that wait",
  });

export const introductionOver = (): WarrenError =>
  new WarrenError("INTRODUCTION_OVER", "This introduction is over.", { fix: "introduce it anew, with a new code" });

export const introductionRefused = (): WarrenError =>
  new WarrenError("INTRODUCTION_REFUSED", "Its person has refused the device. Nothing was kept.", {
    fix: "warren devices ask-first      # on that machine: whether it asks",
  });

export const introductionUnanswered = (): WarrenError =>
  new WarrenError("INTRODUCTION_UNANSWERED", "It asks its person first, and nobody there has said yes in time.", {
    fix: "warren devices allow NAME      # on that machine, while the device waits",
  });

export const introductionNotFound = (): WarrenError =>
  new WarrenError("INTRODUCTION_NOT_FOUND", "No such device waits to be let in, or not any more.", {
    fix: "warren devices",
  });

export const hereOnly = (what: string): WarrenError =>
  new WarrenError("HERE_ONLY", `${what} is for whoever is at this machine, and not for its devices.`, {
    fix: "on that machine, in a terminal",
  });

export const asksFirst = (): WarrenError =>
  new WarrenError("ASKS_FIRST", "This machine asks its person before anybody comes in, and a device cannot say yes.", {
    fix: "warren pair      # on that machine; or there: warren devices ask-first off",
  });

import type { Attack } from "./attack.ts";
import { CODE_ATTACKS } from "./codes.ts";
import { GREETING_ATTACKS } from "./greetings.ts";
import { INTRODUCTION_ATTACKS } from "./introductions.ts";
import { LIVE_ATTACKS } from "./live.ts";
import { LOGIN_ATTACKS } from "./logins.ts";
import { MEMBER_ATTACKS } from "./members.ts";
import { PAIRING_ATTACKS } from "./pairing.ts";
import { RECORD_ATTACKS } from "./records.ts";
import { THEFT_ATTACKS } from "./thieves.ts";

export const ATTACKS: readonly Attack[] = [
  ...RECORD_ATTACKS,
  ...LOGIN_ATTACKS,
  ...MEMBER_ATTACKS,
  ...GREETING_ATTACKS,
  ...LIVE_ATTACKS,
  ...PAIRING_ATTACKS,
  ...INTRODUCTION_ATTACKS,
  ...CODE_ATTACKS,
  ...THEFT_ATTACKS,
];

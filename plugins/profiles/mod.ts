/** Profiles: the choices of the paper, of the official code and of FastGen, each set together. */
import { dmd2Code } from "./dmd2Code.ts";
import { fastgen } from "./fastgen.ts";
import { paper } from "./paper.ts";
import type { Profile } from "./profile.ts";

export { type Profile, type ProfileSetting, profileLines, profileSettings } from "./profile.ts";

/** By name; one line each. */
export const profiles: Readonly<Record<string, Profile>> = {
  paper,
  "dmd2-code": dmd2Code,
  fastgen,
};

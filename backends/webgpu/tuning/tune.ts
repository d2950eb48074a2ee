import { failure, suggestion } from "../../../core/errors.ts";

/**
 * Where the choice between several variants of a kernel comes from. `off`: the order in which the backend prefers them,
 * always the same. `cached`: what was measured on this device before, else that order. `measure`: what is not known yet is
 * measured when a program is compiled, and kept.
 */
export type Tune = (typeof tunes)[number];

const tunes = ["off", "cached", "measure"] as const;

/** A text as a mode of tuning. @throws OptionError when it is none of them */
export function checkTune(tune: string): Tune {
  const known = tunes.find((each) => each === tune);
  if (known) return known;
  throw failure(
    "E_OPTION",
    `Cannot choose kernels by "${tune}": expected one of ${tunes.join(", ")}${suggestion(tune, tunes)}`,
  );
}

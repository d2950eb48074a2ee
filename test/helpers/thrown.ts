import { OnestepError } from "../../core/errors.ts";

/** The catalogued error that `run` throws; fails the test when it throws nothing or something else. */
export function thrown(run: () => unknown): OnestepError {
  try {
    run();
  } catch (error) {
    if (error instanceof OnestepError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

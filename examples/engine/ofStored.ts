import { failure, OnestepError } from "../../core/errors.ts";

/** What helps where a run had a plugin that is not here. */
export const GIVE_AGAIN = "if it is a plugin of your own, give its file or package again with --plugin";

/**
 * What is made of a config that a run has stored: every plugin in it was there once.
 * @throws E_MISSING_PLUGIN that says how to give it again
 */
export function ofStored<T>(make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof OnestepError) || error.code !== "E_MISSING_PLUGIN") throw error;
    throw failure(error.code, error.message, { cause: error, fix: GIVE_AGAIN });
  }
}

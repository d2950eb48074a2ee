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

/** The catalogued error that a promise rejects with; fails the test when it resolves or rejects with something else. */
export async function rejected(promise: Promise<unknown>): Promise<OnestepError> {
  const reason = await promise.then(
    () => new Error("nothing was thrown"),
    (error: unknown) => error,
  );
  if (reason instanceof OnestepError) return reason;
  throw reason;
}

import { ReferenceBackend } from "../../../backends/reference/mod.ts";

/** The oracle alone: what is wrong on purpose is wrong there too. */
export const backends = [new ReferenceBackend("f64")];

/** The problems that a test of the kit finds; "" where it finds none. */
export const problemsOf = (test: Promise<void>): Promise<string> =>
  test.then(
    () => "",
    (error) => error.message,
  );

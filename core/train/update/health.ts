import { failure } from "../../errors.ts";
import type { Executable } from "../../interfaces/backend.ts";
import { SMALLEST_SCALE } from "../../optim/mod.ts";
import type { TurnAt } from "../loop/schedule.ts";
import { GRADIENT_NORM, LOSS_SCALE } from "./turnProgram.ts";

/**
 * Looks at the losses and the gradient norm of an update that has run, and so waits for the device.
 * @throws E_DIVERGED when one of them is NaN or infinite
 */
export async function checkHealth(
  run: Executable,
  outputs: readonly string[],
  { turn: { role }, step }: TurnAt,
): Promise<void> {
  const values = await Promise.all(outputs.map(async (name) => (await run.read(name))[0]));
  // An update that overflows is left out, and the next one has a smaller scale, until the scale cannot shrink further.
  const isLeftOut = values[outputs.indexOf(LOSS_SCALE)] > SMALLEST_SCALE;
  const bad = outputs.flatMap((name, i) => {
    if (Number.isFinite(values[i]) || (name === GRADIENT_NORM && isLeftOut)) return [];
    return [`${name === GRADIENT_NORM ? "gradient norm" : `loss ${name}`} is ${values[i]}`];
  });
  if (bad.length)
    throw failure(
      "E_DIVERGED",
      `Cannot go on training the ${role}: ${bad.join(", ")} at step ${step}, expected finite numbers`,
    );
}

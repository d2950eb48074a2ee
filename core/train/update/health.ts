import { failure } from "../../errors.ts";
import { SMALLEST_SCALE } from "../../optim/mod.ts";
import type { Scalars } from "../loop/events.ts";
import { GRADIENT_NORM, LOSS_SCALE } from "./turnProgram.ts";

/**
 * Looks at the losses and the gradient norm of an update that has run, and so waits for the device.
 * @throws E_DIVERGED when one of them is NaN or infinite
 */
export async function checkHealth(losses: Scalars, role: string, step: number): Promise<void> {
  const read = Object.entries(losses).map(async ([name, scalar]) => [name, await scalar.read()] as const);
  const values = new Map(await Promise.all(read));
  // An update that overflows is left out, and the next one has a smaller scale, until the scale cannot shrink further.
  const isLeftOut = (values.get(LOSS_SCALE) ?? 0) > SMALLEST_SCALE;
  const bad = [...values].flatMap(([name, value]) => {
    if (Number.isFinite(value) || (name === GRADIENT_NORM && isLeftOut)) return [];
    return [`${name === GRADIENT_NORM ? "gradient norm" : `loss ${name}`} is ${value}`];
  });
  if (bad.length)
    throw failure(
      "E_DIVERGED",
      `Cannot go on training the ${role}: ${bad.join(", ")} at step ${step}, expected finite numbers`,
    );
}

import { type ListToken, listToken } from "../di/token.ts";

/** Changes the weights of losses while a run goes on, from what is seen inside the updates. */
export interface Balancer {
  /**
   * New factors by loss, from those in use and the values of a generator's diagnosis (see `diagnosisProgram`). A loss that is
   * not named keeps its factor. They count from the next update on and become part of checkpoints.
   */
  rebalance(
    values: Readonly<Record<string, number>>,
    weights: Readonly<Record<string, number>>,
  ): Readonly<Record<string, number>>;
}

/** Name that a diagnosis gives the norm of a weighted loss's gradient at the generated images. */
export const imageGradientName = (loss: string): string => `image-gradient ${loss}`;

/** Every balancer of the run. */
export const BALANCERS: ListToken<Balancer> = listToken<Balancer>("balancers");

import { type ListToken, listToken } from "../di/token.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** When an update happens, for rates that depend on it. */
export interface UpdateTime {
  /** Updates the role has had before: 0, 1, … */
  readonly update: number;
  /** Turns of the schedule before: 0, 1, … A generator at TTUR 5 updates every fifth. */
  readonly step: number;
  /** Turns of the whole stage. */
  readonly steps: number;
  /** What the run multiplies the learning rate by, after updates that were not finite; 1 where absent. */
  readonly factor?: number;
}

/** An update rule over flat parameter tensors. */
export interface Optimizer {
  readonly role: string;
  /** Largest global L2 norm of the role's gradient; Infinity never clips. */
  readonly clip: number;
  /** Beginnings of parameter names: the gradient of each such group is clipped by its own norm, and not with the rest. */
  readonly clipApart?: readonly string[];
  /** Names of the moments it keeps, each as large as the parameters. */
  readonly moments: readonly string[];
  /** Numbers of one update, such as the learning rate. */
  scalars(time: UpdateTime): Readonly<Record<string, number>>;
  /** New parameters and moments, from flat tensors of one size; `scalars` are the numbers above, as scalar tensors. */
  update(
    weights: Tensor,
    gradient: Tensor,
    moments: Readonly<Record<string, Tensor>>,
    scalars: Readonly<Record<string, Tensor>>,
  ): { readonly weights: Tensor; readonly moments: Readonly<Record<string, Tensor>> };
}

/** Every optimizer of the run, of any role. */
export const OPTIMIZERS: ListToken<Optimizer> = listToken<Optimizer>("optimizers");

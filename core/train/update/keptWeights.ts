/** Weights that no update moves, kept in half of the memory. */
import { failure, suggestion } from "../../errors.ts";
import type { KeptIn } from "../../nn/parameters.ts";
import type { Storage } from "../../tensor/storage.ts";
import type { Players } from "./turnContext.ts";

/** Keeps matrices and kernels in a storage; what has one axis, such as biases and norms, takes little and stays in f32. */
export const keptIn = (storage: Storage | undefined): KeptIn | undefined =>
  storage && ((_, shape) => (shape.length > 1 ? storage : "f32"));

/** Holds the setting `train.weights` to roles that can have it. @throws E_OPTION */
export function checkKept(players: Players, weights: Readonly<Record<string, Storage>> = {}): void {
  for (const [role, storage] of Object.entries(weights)) {
    if (!Object.hasOwn(players, role)) {
      const roles = Object.keys(players);
      throw failure(
        "E_OPTION",
        `Cannot configure train: weights names the role "${role}", which is not one of ${roles.join(", ")}${suggestion(role, roles)}`,
      );
    }
    const { optimizer, averages } = players[role];
    if (storage !== "f32" && (optimizer || averages.length > 0))
      throw failure(
        "E_OPTION",
        `Cannot configure train: weights.${role} is ${storage}, and the ${role} is trained or averaged, which needs f32`,
        {
          fix: `leave train.weights.${role} out; of a teacher with weights, set optimizers.teacher=off and averages.teacher=off`,
        },
      );
  }
}

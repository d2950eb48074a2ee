/** Names of the numbers that an update has beside its losses. */

/** Norm of the gradient of all weights of a role, before it is clipped. */
export const GRADIENT_NORM = "gradient-norm";
/** What the loss was multiplied by, where that changes from update to update. */
export const LOSS_SCALE = "loss-scale";
/** ‖w‖ over all weights of a role that learn. */
export const WEIGHT_NORM = "weight-norm";
/** ‖w − a‖ / ‖w‖ with the running average a that samples are drawn with: how far the weights have moved within its memory. */
export const AVERAGE_DISTANCE = "average-distance";

/** Whether a number of an update is a loss. */
export const isLoss = (name: string): boolean =>
  ![GRADIENT_NORM, LOSS_SCALE, WEIGHT_NORM, AVERAGE_DISTANCE].includes(name);

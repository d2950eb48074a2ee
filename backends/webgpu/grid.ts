import { invariant } from "../../core/errors.ts";

/** Most workgroups along one dimension of a dispatch, on every device. */
export const MAX_WORKGROUPS = 65535;

/**
 * A grid of at least `count` workgroups. Kernels count them as `group.x + group.y * groups.x` and leave out those past
 * the end: one dimension alone ends at 65535.
 */
export function grid(count: number): [x: number, y: number, z: number] {
  const y = Math.ceil(count / MAX_WORKGROUPS) || 1;
  invariant(y <= MAX_WORKGROUPS, `${count} workgroups do not fit into one dispatch`);
  return [Math.ceil(count / y), y, 1];
}

import { sizeOf } from "../tensor/shape.ts";
import type { Storage } from "../tensor/storage.ts";
import type { DType, Tensor } from "../tensor/tensor.ts";
import { alignmentOf } from "./alignment.ts";
import type { Unit } from "./fuse.ts";
import { rootOf } from "./views.ts";

/** A value and the units between which it lives: the one that makes it and the last that reads it. */
export interface Lifetime {
  readonly value: Tensor;
  readonly from: number;
  readonly to: number;
}

/** A value in a slot, `offset` elements from its start. */
export interface Tenant extends Lifetime {
  readonly offset: number;
}

/** A buffer that values of one type and storage share. Size in elements. */
export interface Slot {
  readonly dtype: DType;
  readonly storage: Storage;
  readonly elements: number;
  readonly tenants: Tenant[];
}

/**
 * Shares out buffers, the largest values first, each to the smallest buffer that has room while it lives.
 * - An elementwise unit may write over a value that it is the last to read, element by element.
 * - Values that live at the same time may lie side by side, unless one unit writes the one and touches the other: a
 *   buffer can't be bound for reading and for writing at once.
 *
 * Greedy by size: Pisarchyk & Lee 2020, arXiv:2001.03288.
 */
export function shareSlots(lifetimes: readonly Lifetime[], units: readonly Unit[]): Slot[] {
  const slots: Slot[] = [];
  const bySize = [...lifetimes].sort((a, b) => sizeOf(b.value.shape) - sizeOf(a.value.shape) || a.from - b.from);
  for (const lifetime of bySize) {
    const { dtype, storage, shape } = lifetime.value;
    // Slots come in falling size.
    const slot = slots.findLast(
      (each) => each.dtype === dtype && each.storage === storage && roomIn(each, lifetime, units) !== undefined,
    );
    if (slot) slot.tenants.push({ ...lifetime, offset: roomIn(slot, lifetime, units)! });
    else {
      const elements = sizeOf(shape);
      slots.push({ dtype, storage, elements, tenants: [{ ...lifetime, offset: 0 }] });
    }
  }
  return slots;
}

/** Where a value fits between those that live in the slot at the same time, or undefined. */
function roomIn(slot: Slot, wanted: Lifetime, units: readonly Unit[]): number | undefined {
  const size = sizeOf(wanted.value.shape);
  const beside = slot.tenants.filter((tenant) => !areApart(wanted, tenant));
  const inPlace = beside.filter((tenant) => isInPlace(tenant, wanted, units));
  const others = beside.filter((tenant) => !inPlace.includes(tenant));
  if (others.some((tenant) => touchWritten(tenant, wanted, units))) return undefined;
  const starts = [0, ...beside.map(({ offset }) => offset), ...beside.map(endOf)];
  return starts
    .sort((a, b) => a - b)
    .find(
      (start) =>
        start + size <= slot.elements &&
        others.every((tenant) => start >= endOf(tenant) || start + room(wanted) <= tenant.offset) &&
        inPlace.every(({ offset }) => offset === start),
    );
}

/** Elements from the start of a value to the first aligned place behind it. */
function room({ value: { shape, storage } }: Lifetime): number {
  const alignment = alignmentOf(storage);
  return Math.ceil(sizeOf(shape) / alignment) * alignment;
}
const endOf = (tenant: Tenant): number => tenant.offset + room(tenant);
const areApart = (a: Lifetime, b: Lifetime): boolean => a.to < b.from || b.to < a.from;

/** Whether the unit that makes the later value may write it over the earlier one. */
function isInPlace(a: Lifetime, b: Lifetime, units: readonly Unit[]): boolean {
  const [last, next] = a.from < b.from ? [a, b] : [b, a];
  if (last.to !== next.from || last.from === next.from) return false;
  const { elementwise, inputs, nodes } = units[next.from];
  const count = sizeOf(nodes[0].shape);
  const reads = inputs.filter((input) => rootOf(input).root === last.value);
  return elementwise && sizeOf(last.value.shape) === count && reads.every((read) => sizeOf(read.shape) === count);
}

/** Whether one unit writes one of the values and reads or writes the other. */
function touchWritten(a: Lifetime, b: Lifetime, units: readonly Unit[]): boolean {
  const reads = ({ inputs }: Unit, { value }: Lifetime) => inputs.some((input) => rootOf(input).root === value);
  return a.from === b.from || reads(units[a.from], b) || reads(units[b.from], a);
}

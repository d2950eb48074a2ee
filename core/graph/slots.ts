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

/** A lifetime with its sizes in elements. */
interface Sized extends Lifetime {
  readonly size: number;
  /** From the start of the value to the first aligned place behind it. */
  readonly room: number;
}

/** A value in a slot, `offset` elements from its start. */
export interface Tenant extends Sized {
  readonly offset: number;
}

/** A unit and the values that it reads, views taken off. */
interface Reader extends Unit {
  readonly reads: ReadonlySet<Tensor>;
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
  const readers = units.map((unit) => ({ ...unit, reads: new Set(unit.inputs.map((input) => rootOf(input).root)) }));
  const bySize = lifetimes.map(sized).sort((a, b) => b.size - a.size || a.from - b.from);
  for (const wanted of bySize) if (!settle(slots, wanted, readers)) slots.push(slotFor(wanted));
  return slots;
}

function sized(lifetime: Lifetime): Sized {
  const { shape, storage } = lifetime.value;
  const [size, alignment] = [sizeOf(shape), alignmentOf(storage)];
  return { ...lifetime, size, room: Math.ceil(size / alignment) * alignment };
}

const slotFor = (first: Sized): Slot => ({
  dtype: first.value.dtype,
  storage: first.value.storage,
  elements: first.size,
  tenants: [{ ...first, offset: 0 }],
});

/** Gives a value a place in the smallest slot that has room for it; false when none has. Slots come in falling size. */
function settle(slots: readonly Slot[], wanted: Sized, units: readonly Reader[]): boolean {
  const { dtype, storage } = wanted.value;
  for (let i = slots.length - 1; i >= 0; i--) {
    const slot = slots[i];
    if (slot.dtype !== dtype || slot.storage !== storage) continue;
    const offset = roomIn(slot, wanted, units);
    if (offset === undefined) continue;
    slot.tenants.push({ ...wanted, offset });
    return true;
  }
  return false;
}

/** Where a value fits between those that live in the slot at the same time, or undefined. */
function roomIn(slot: Slot, wanted: Sized, units: readonly Reader[]): number | undefined {
  const inPlace: Tenant[] = [];
  const others: Tenant[] = [];
  for (const tenant of slot.tenants) {
    if (areApart(wanted, tenant)) continue;
    if (isInPlace(tenant, wanted, units)) inPlace.push(tenant);
    else if (touchWritten(tenant, wanted, units)) return undefined;
    else others.push(tenant);
  }
  if (inPlace.length > 0) {
    const [{ offset }] = inPlace;
    return inPlace.every((tenant) => tenant.offset === offset) && fits(slot, offset, wanted, others)
      ? offset
      : undefined;
  }
  // The first place that will do is where the slot begins or where a neighbour ends.
  let first = fits(slot, 0, wanted, others) ? 0 : undefined;
  for (const tenant of others) {
    const start = endOf(tenant);
    if ((first === undefined || start < first) && fits(slot, start, wanted, others)) first = start;
  }
  return first;
}

/** Whether a value may begin at `start`, clear of these tenants. */
function fits(slot: Slot, start: number, { size, room }: Sized, others: readonly Tenant[]): boolean {
  if (start + size > slot.elements) return false;
  for (const tenant of others) if (start < endOf(tenant) && start + room > tenant.offset) return false;
  return true;
}

const endOf = ({ offset, room }: Tenant): number => offset + room;
const areApart = (a: Lifetime, b: Lifetime): boolean => a.to < b.from || b.to < a.from;

/** Whether the unit that makes the later value may write it over the earlier one. */
function isInPlace(a: Sized, b: Sized, units: readonly Reader[]): boolean {
  const [last, next] = a.from < b.from ? [a, b] : [b, a];
  if (last.to !== next.from || last.from === next.from) return false;
  const { elementwise, inputs, nodes } = units[next.from];
  const count = sizeOf(nodes[0].shape);
  if (!elementwise || last.size !== count) return false;
  return inputs.every((input) => rootOf(input).root !== last.value || sizeOf(input.shape) === count);
}

/** Whether one unit writes one of the values and reads or writes the other. */
const touchWritten = (a: Lifetime, b: Lifetime, units: readonly Reader[]): boolean =>
  a.from === b.from || units[a.from].reads.has(b.value) || units[b.from].reads.has(a.value);

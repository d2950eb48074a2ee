import { invariant } from "../../../core/errors.ts";
import { ALIGNMENT, alignmentOf, type Place } from "../../../core/graph/mod.ts";
import { sizeOf } from "../../../core/tensor/shape.ts";
import type { DType } from "../../../core/tensor/tensor.ts";
import type { BoundRange, BufferNeed } from "../dispatch.ts";
import { rangeOf } from "../dispatch.ts";
import { type Accesses, accessesOf } from "./access.ts";
import type { Chain } from "./chain.ts";

/** Elements handled at a time: 4 where everything is aligned for it. */
export type Width = 1 | 4;

/** A buffer of a chain, bound once however many values live in it. */
export interface BoundBuffer {
  readonly range: BoundRange;
  readonly dtype: DType;
  /** Width of its WGSL element type. */
  readonly width: Width;
}

/** A read or write: which binding, and how many elements behind its start. */
export interface BoundView {
  readonly binding: number;
  readonly offset: number;
}

/** Where the values of a chain (or of a part of it) are found. */
export interface ChainLayout {
  readonly width: Width;
  /** Elements that this part handles. */
  readonly count: number;
  readonly accesses: Accesses;
  readonly buffers: readonly BoundBuffer[];
  readonly reads: readonly BoundView[];
  readonly writes: readonly BoundView[];
}

/** Lays out a chain; in several parts when its tensors are larger than one binding may be. */
export function layOut(
  chain: Chain,
  buffers: readonly BufferNeed[],
  maxBinding: number,
  widest: Width = 4,
): ChainLayout[] {
  const count = sizeOf(chain.shape);
  const accesses = accessesOf(chain);
  const width = widest === 1 ? 1 : widthOf(chain, accesses, buffers, count);
  // One unit of alignment less, as a binding may have to begin before its value does.
  const most = Math.floor(maxBinding / 4 / ALIGNMENT - 1) * ALIGNMENT;
  const partSize = accesses.axes.length > 0 ? count : Math.min(count, most);
  const parts: ChainLayout[] = [];
  for (let start = 0; start < count; start += partSize) {
    const size = Math.min(partSize, count - start);
    const bound = bind(chain, accesses, { width, start, count: size, buffers });
    parts.push({ width, count: size, accesses, ...bound });
  }
  return parts;
}

function widthOf(chain: Chain, accesses: Accesses, buffers: readonly BufferNeed[], count: number): Width {
  const inner = accesses.axes[accesses.axes.length - 1] ?? 4;
  const aligned = ({ offset }: Place) => offset % 4 === 0;
  const readsFit = chain.reads.every(({ place }, i) => {
    const access = accesses.reads[i];
    if (access.kind === "one") return true;
    return (access.kind === "strided" && access.strides.at(-1) === 0) || aligned(place);
  });
  // A last, incomplete vec4 may spill only into padding that no value uses.
  const spills = ({ buffer, offset }: Place) => {
    const { kind, elements } = buffers[buffer];
    return kind !== "scratch" && kind !== "temp" && offset + count !== elements;
  };
  const writesFit = chain.writes.every(({ place }) => aligned(place) && (count % 4 === 0 || !spills(place)));
  return inner % 4 === 0 && count >= 4 && readsFit && writesFit ? 4 : 1;
}

interface Extent {
  readonly place: Place;
  readonly size: number;
  readonly dtype: DType;
  readonly written: boolean;
  readonly wide: boolean;
}

/** A part of a chain, and all buffers. */
interface Part {
  readonly width: Width;
  readonly start: number;
  readonly count: number;
  readonly buffers: readonly BufferNeed[];
}

function bind(chain: Chain, accesses: Accesses, { width, start, count, buffers }: Part) {
  const readExtents = chain.reads.map(({ place, shape, dtype }, i): Extent => {
    const access = accesses.reads[i];
    const full = access.kind === "full";
    const narrow = access.kind === "one" || (access.kind === "strided" && access.strides.at(-1) === 0);
    return {
      place: full ? shifted(place, start) : place,
      size: full ? count : sizeOf(shape),
      dtype,
      written: false,
      wide: !narrow,
    };
  });
  const writeExtents = chain.writes.map(({ place, dtype }): Extent => {
    return { place: shifted(place, start), size: count, dtype, written: true, wide: true };
  });
  const extents = [...readExtents, ...writeExtents];

  const order = [...new Set(extents.map(({ place }) => place.buffer))];
  const written = new Set(writeExtents.map(({ place }) => place.buffer));
  order.sort((a, b) => Number(written.has(a)) - Number(written.has(b)));
  const starts: number[] = [];
  const bound = order.map((buffer): BoundBuffer => {
    const here = extents.filter(({ place }) => place.buffer === buffer);
    if (written.has(buffer)) checkOverlaps(here);
    const first = Math.min(...here.map(({ place }) => place.offset));
    const end = Math.max(...here.map(({ place, size }) => place.offset + size));
    const { storage } = buffers[buffer];
    const base = Math.floor(first / alignmentOf(storage)) * alignmentOf(storage);
    starts.push(base);
    const access = written.has(buffer) ? "read_write" : "read";
    return {
      range: rangeOf({ buffer, offset: base }, { elements: end - base, storage }, access),
      dtype: here[0].dtype,
      width: here.some(({ wide }) => wide) ? width : 1,
    };
  });
  const view = ({ place }: Extent): BoundView => {
    const binding = order.indexOf(place.buffer);
    return { binding, offset: place.offset - starts[binding] };
  };
  return { buffers: bound, reads: readExtents.map(view), writes: writeExtents.map(view) };
}

const shifted = ({ buffer, offset }: Place, by: number): Place => ({ buffer, offset: offset + by });

/** In place is only safe where each element is read by the lane that writes it. */
function checkOverlaps(extents: readonly Extent[]): void {
  for (const write of extents.filter((each) => each.written))
    for (const other of extents) {
      const apart =
        other.place.offset + other.size <= write.place.offset || write.place.offset + write.size <= other.place.offset;
      const same = other.place.offset === write.place.offset && other.size === write.size;
      invariant(apart || same, "an elementwise step overwrites what other lanes read");
    }
}

import { invariant } from "../../core/errors.ts";
import { withoutComments } from "./header.ts";
import type { DimValue } from "./kernel.ts";

type Scalar = "u32" | "i32" | "f32";

/** A field of a `Dims` struct: where its numbers are. */
interface Field {
  readonly name: string;
  readonly scalar: Scalar;
  /** Byte offset in the struct. */
  readonly offset: number;
  /** Numbers it holds: 1, a vector's, or all of an array of vec4. */
  readonly count: number;
}

/** Memory layout of a kernel's `Dims` struct in the uniform address space. */
export interface DimsLayout {
  readonly fields: readonly Field[];
  /** Size in bytes, a multiple of 16. */
  readonly bytes: number;
}

/**
 * Reads `struct Dims { … }` from a kernel; undefined when it has none. Fields are u32, i32, f32, vectors of them, and
 * arrays of vec4: the only arrays whose layout all WGSL compilers accept in a uniform.
 */
export function parseDims(source: string): DimsLayout | undefined {
  const body = withoutComments(source).match(/struct\s+Dims\s*\{([^}]*)\}/)?.[1];
  if (body === undefined) return undefined;
  const fields: Field[] = [];
  let end = 0;
  for (const text of splitFields(body)) {
    const [, name, type] = text.match(/^(\w+)\s*:\s*(.+)$/) ?? [];
    const shape = type && typeShape(type.replace(/\s+/g, ""));
    invariant(shape, `Dims has a field "${text}", expected u32, i32, f32, vecN or array<vec4, N>`);
    const offset = roundUp(end, shape.align);
    fields.push({ name, scalar: shape.scalar, offset, count: shape.count });
    end = offset + shape.count * 4;
  }
  return { fields, bytes: roundUp(end, 16) };
}

const splitFields = (body: string): string[] =>
  // Commas inside array<…> do not end a field.
  body
    .split(/,(?![^<]*>)/)
    .map((text) => text.trim())
    .filter(Boolean);

function typeShape(type: string): { scalar: Scalar; align: number; count: number } | undefined {
  const [, element, length] = type.match(/^array<(vec4\w*(?:<\w+>)?),(\d+)u?>$/) ?? [];
  if (element) {
    const inner = typeShape(element);
    return inner && { ...inner, count: 4 * Number(length) };
  }
  const vector = type.match(/^vec([234])(?:<(u32|i32|f32)>|([uif]))$/);
  if (vector) {
    const count = Number(vector[1]);
    const scalar = (vector[2] ?? `${vector[3]}32`) as Scalar;
    return { scalar, align: count === 2 ? 8 : 16, count };
  }
  return type === "u32" || type === "i32" || type === "f32" ? { scalar: type, align: 4, count: 1 } : undefined;
}

/** Writes named values into a struct that starts at byte `at` of `target`. Every field must be given, and no other. */
export function encodeDims(
  kernel: string,
  layout: DimsLayout,
  values: Readonly<Record<string, DimValue>>,
  target: DataView,
  at: number,
): void {
  for (const name of Object.keys(values))
    invariant(
      layout.fields.some((field) => field.name === name),
      `${kernel} has no field "${name}" in Dims`,
    );
  for (const field of layout.fields) {
    const value = values[field.name];
    invariant(value !== undefined, `${kernel} got no value for ${field.name} of Dims`);
    const list = typeof value === "number" ? [value] : value;
    invariant(list.length <= field.count, `${kernel}: ${field.name} takes ${field.count} numbers, got ${list.length}`);
    list.forEach((number, i) => {
      const offset = at + field.offset + 4 * i;
      if (field.scalar === "f32") target.setFloat32(offset, number, true);
      else {
        const [low, high] = field.scalar === "u32" ? [0, 2 ** 32] : [-(2 ** 31), 2 ** 31];
        const fits = Number.isInteger(number) && number >= low && number < high;
        invariant(fits, `${kernel}: ${field.name} is ${number}, expected ${field.scalar}`);
        target.setUint32(offset, number, true);
      }
    });
  }
}

const roundUp = (value: number, multiple: number): number => Math.ceil(value / multiple) * multiple;

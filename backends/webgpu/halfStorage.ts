import { invariant } from "../../core/errors.ts";
import type { Storage } from "../../core/tensor/storage.ts";
import { type AccessRule, rewriteAccesses } from "./accesses.ts";

/** What a device keeps elements of a storage in: WGSL has no bf16, and only some devices have f16. */
export const keptOn = ({ f16 }: { readonly f16: boolean }, storage: Storage): Storage =>
  storage === "f16" && f16 ? "f16" : "f32";

/** WGSL with which a kernel reads and writes an element of a binding that is stored in f16. */
interface Conversion {
  /** Element type of the binding. */
  readonly type: string;
  read(element: string): string;
  write(value: string): string;
}

/** By the element type that the kernel was written for. Kernels that move bits call floats u32. */
const conversions: Readonly<Record<string, Conversion>> = {
  f32: {
    type: "f16",
    read: (element) => `f32(${element})`,
    write: (value) => `f16(${value})`,
  },
  vec4f: {
    type: "vec4<f16>",
    read: (element) => `vec4f(${element})`,
    write: (value) => `vec4<f16>(${value})`,
  },
  u32: {
    type: "f16",
    read: (element) => `bitcast<u32>(f32(${element}))`,
    write: (value) => `f16(bitcast<f32>(${value}))`,
  },
};

/**
 * The same kernel over bindings whose elements are kept in f16: they become f32 where they are read and f16 where they are
 * written, and all that is computed in between stays f32. Lines keep their numbers. What is too large for f16 is written as
 * an infinity.
 * @param names of the bindings, in a source with its libraries
 */
export function withHalfStorage(source: string, names: readonly string[]): string {
  if (names.length === 0) return source;
  const rules = new Map<string, AccessRule>();
  const declared = source.replace(
    /(var<storage[^>]*>\s*(\w+)\s*:\s*array<)(\w+)>/g,
    (whole, before: string, name: string, type: string) => {
      if (!names.includes(name)) return whole;
      const conversion = conversions[type];
      invariant(conversion, `an array of ${type} can't be kept in f16`);
      rules.set(name, {
        read: (index) => conversion.read(`${name}[${index}]`),
        write: (index, value) => `${name}[${index}] = ${conversion.write(value)}`,
      });
      return `${before}${conversion.type}>`;
    },
  );
  for (const name of names) invariant(rules.has(name), `there is no binding ${name}`);
  return `enable f16; ${rewriteAccesses(declared, rules)}`;
}

import { invariant } from "../../core/errors.ts";
import { type ElementwiseStep, type Program, readersOf, rootOf, type Step } from "../../core/graph/mod.ts";
import { sizeOf } from "../../core/tensor/shape.ts";
import type { Tensor } from "../../core/tensor/tensor.ts";
import { type AccessRule, rewriteAccesses } from "./accesses.ts";
import type { BoundRange, BufferNeed } from "./dispatch.ts";
import { type Chain, chainCode, layOut } from "./elementwise/mod.ts";
import type { Binding } from "./header.ts";
import type { KernelLibrary, KernelSource } from "./kernelSource.ts";

/** Finds the elementwise steps that can be the epilogue of a kernel: bias, activation, residual, scale. */
export class Epilogues {
  readonly #readers: ReadonlyMap<Tensor, readonly Tensor[]>;
  readonly #kept: ReadonlySet<Tensor>;

  constructor({ nodes, outputs, updates }: Program) {
    this.#readers = readersOf(nodes);
    const kept = [...outputs.values(), ...updates.values()];
    this.#kept = new Set(kept.map((value) => rootOf(value).root));
  }

  /** The step that runs next, where it alone reads the kernel's result, element by element. */
  of(node: Tensor, next: Step | undefined): ElementwiseStep | undefined {
    const readers = this.#readers.get(node);
    if (next?.kind !== "elementwise" || !readers || this.#kept.has(node)) return undefined;
    const size = sizeOf(node.shape);
    const own = new Set(next.nodes);
    const whole = (input: Tensor): boolean => rootOf(input).root !== node || sizeOf(input.shape) === size;
    const alone = readers.every((reader) => own.has(reader) && reader.inputs.every(whole));
    return alone && sizeOf(next.shape) === size ? next : undefined;
  }
}

/** A kernel that ends with a chain: its bindings without the last, and then those of the chain. */
export interface Joined {
  readonly kernel: KernelSource;
  /** Of the chain. */
  readonly bindings: readonly BoundRange[];
  /** Fields of `Dims` that the chain adds. */
  readonly dims: Readonly<Record<string, number>>;
}

/**
 * The kernel with every store to its last storage binding replaced by the chain, whose given value is what was stored.
 * Undefined where they do not fit together: the chain is not aligned as the kernel's vectors are, or exceeds a binding.
 * @param kernel stores every element once, as f32 or vec4f, and reads none
 */
export function withEpilogue(
  library: KernelLibrary,
  kernel: KernelSource,
  chain: Chain,
  { buffers, maxBinding }: { buffers: readonly BufferNeed[]; maxBinding: number },
): Joined | undefined {
  const result = kernel.bindings[kernel.bindings.length - 2];
  const width = result.type === "array<vec4f>" ? 4 : 1;
  const [layout, ...more] = layOut(chain, buffers, maxBinding, width);
  if (!layout || more.length > 0 || layout.width !== width || layout.count % width !== 0) return;
  const code = chainCode(chain, layout, { buffer: "then", field: "THEN_" });
  const first = result.index;
  const type = width === 4 ? "vec4f" : "f32";
  const declarations = code.declarations(first);
  const text = rewriteAccesses(
    kernel.text
      .replace(declarationOf(result), "")
      .replace(/(struct\s+Dims\s*\{[^}]*?),?\s*\}/, (_, fields: string) => {
        const added = Object.keys(code.dims).map((name) => `${name}: u32`);
        return `${[fields, ...added].join(", ")} }`;
      })
      .replace(
        /@binding\(\d+\)(\s*var<uniform>)/,
        (_, rest: string) => `@binding(${first + declarations.length})${rest}`,
      ),
    new Map([[result.name, storesInto("epilogue")]]),
  );
  const epilogue = [
    ...code.libraries.map((name) => `// uses        lib/${name}`),
    ...declarations,
    ...code.functions,
    `fn epilogue(i: u32, given: ${type}) {`,
    ...[...code.before, ...code.body].map((line) => `  ${line}`),
    "}",
    "",
  ];
  return {
    kernel: library.fromText(`${kernel.name}+epilogue`, [text, ...epilogue].join("\n"), kernel.matrices),
    bindings: layout.buffers.map(({ range }) => range),
    dims: code.dims,
  };
}

/** The text that declares a storage binding. */
const declarationOf = ({ index, name }: Binding): RegExp =>
  new RegExp(`@group\\(0\\)\\s*@binding\\(${index}\\)\\s*var<[^>]*>\\s*${name}\\s*:[^;]*;`);

const storesInto = (callee: string): AccessRule => ({
  read() {
    invariant(false, "a kernel with an epilogue can't read what it has stored");
  },
  write: (index, value) => `${callee}(${index}, ${value})`,
});

import { invariant } from "../../../core/errors.ts";
import type { Access } from "./access.ts";
import type { Chain } from "./chain.ts";
import { expressionContext, expressions, wgslType } from "./expressions.ts";
import type { ChainLayout } from "./layout.ts";
import { FROM_BITS, literal } from "./literal.ts";

/** Invocations of a workgroup. */
export const LANES = 64;

/** WGSL of a chain in pieces: for a kernel of its own, or for the end of another one. */
export interface ChainCode {
  /** Files of wgsl/lib that it calls. */
  readonly libraries: readonly string[];
  /** Its buffers, as bindings from number `first` on. */
  declarations(first: number): string[];
  /** Fields of `Dims`, all u32. */
  readonly dims: Readonly<Record<string, number>>;
  /** Functions it needs. */
  readonly functions: readonly string[];
  /** Statements that are the same for all elements. */
  readonly before: readonly string[];
  /** Statements for element `i`, or the four from 4i on. */
  readonly body: readonly string[];
}

/** Names that a chain's code uses beside its own `v0`, `at0`, `rest0`. */
interface Names {
  /** What its bindings' names begin with. */
  readonly buffer: string;
  /** Prefix of the names of its fields in `Dims`. */
  readonly field: string;
}

/**
 * Code of a chain. Sizes, offsets and strides are data, so that the same expression over other shapes is the same text,
 * compiled once. A given value is called `given`.
 */
export function chainCode(chain: Chain, layout: ChainLayout, names: Names): ChainCode {
  const { width, accesses, buffers } = layout;
  const libraries = new Set<string>();
  const dims: Record<string, number> = {};
  const field = (name: string, value: number): string => {
    dims[names.field + name] = value;
    return `dims.${names.field}${name}`;
  };

  const axes = accesses.axes.map((size, axis) => (axis === accesses.axes.length - 1 ? size / width : size));
  // The outermost size is never divided by.
  const sizes = axes.map((size, axis) => (axis === 0 ? "" : field(`SIZE${axis}`, size)));

  /** Element of a binding, by an index in its own units. */
  const element = (binding: number, index: string, narrow: boolean): string =>
    narrow && buffers[binding].width === 4
      ? `${names.buffer}${binding}[(${index}) / 4u][(${index}) % 4u]`
      : `${names.buffer}${binding}[${index}]`;

  const loads = chain.reads.map(({ dtype }, i) => {
    const access = accesses.reads[i];
    const { binding, offset } = layout.reads[i];
    const narrow = isNarrow(access);
    const scale = narrow ? 1 : width;
    const terms = [field(`READ${i}`, offset / scale)];
    if (access.kind === "full") terms.push("i");
    if (access.kind === "strided")
      access.strides.forEach((stride, axis) => {
        if (stride === 0) return;
        const inner = axis === access.strides.length - 1;
        terms.push(inner ? `at${axis}` : `at${axis} * ${field(`STRIDE${i}_${axis}`, stride / scale)}`);
      });
    const loaded = element(binding, terms.join(" + "), narrow);
    return narrow ? `${wgslType(dtype, width)}(${loaded})` : loaded;
  });

  const values: string[] = [];
  const before: string[] = [];
  const body: string[] = [];
  chain.values.forEach((value, n) => {
    values.push(value.kind === "given" ? "given" : `v${n}`);
    const type = wgslType(value.dtype, width);
    if (value.kind === "number") {
      before.push(`let v${n} = ${type}(${literal(value.value, value.dtype)});`);
    } else if (value.kind === "read") {
      const lines = accesses.reads[value.read].kind === "one" ? before : body;
      lines.push(`let v${n} = ${loads[value.read]};`);
    } else if (value.kind === "op") {
      const expression = expressions[value.op];
      invariant(expression, `${value.op} has no WGSL expression`);
      const context = expressionContext(value.attrs, value.dtype, width, (l) => libraries.add(l));
      const text = expression(
        value.args.map((arg) => values[arg]),
        context,
      );
      body.push(`let v${n} = ${text};`);
    }
  });
  chain.writes.forEach(({ value }, i) => {
    const { binding, offset } = layout.writes[i];
    const start = field(`WRITE${i}`, offset / width);
    body.push(`${names.buffer}${binding}[${start} + i] = ${values[value]};`);
  });
  body.unshift(...coordinates(sizes, accesses.reads));

  return {
    libraries: [...libraries],
    declarations: (first) =>
      buffers.map(
        ({ range, dtype, width: own }, n) =>
          `@group(0) @binding(${first + n}) var<storage, ${range.access}> ${names.buffer}${n}: array<${wgslType(dtype, own)}>;`,
      ),
    dims,
    functions: [...before, ...body].some((line) => line.includes("from_bits(")) ? [FROM_BITS] : [],
    before,
    body,
  };
}

/** WGSL of a chain as a kernel of its own, and the values of its `Dims`. */
export function elementwiseSource(
  chain: Chain,
  layout: ChainLayout,
  perLane: number,
): { code: string; dims: Record<string, number> } {
  const { libraries, declarations, functions, before, body, ...own } = chainCode(chain, layout, {
    buffer: "b",
    field: "",
  });
  const units = Math.ceil(layout.count / layout.width);
  const dims = { UNITS: units, PER_LANE: perLane, ...own.dims };
  const code = [
    "// elementwise: generated for one fused chain of elementwise ops.",
    ...libraries.map((library) => `// uses        lib/${library}`),
    ...declarations(0),
    `struct Dims { ${Object.keys(dims)
      .map((name) => `${name}: u32`)
      .join(", ")} }`,
    `@group(0) @binding(${layout.buffers.length}) var<uniform> dims: Dims;`,
    ...functions,
    `@compute @workgroup_size(${LANES})`,
    "fn main(",
    "  @builtin(workgroup_id) group: vec3u,",
    "  @builtin(num_workgroups) groups: vec3u,",
    "  @builtin(local_invocation_index) lane: u32,",
    ") {",
    ...before.map((line) => `  ${line}`),
    `  var i = (group.x + group.y * groups.x) * ${LANES}u * dims.PER_LANE + lane;`,
    "  for (var part = 0u; part < dims.PER_LANE; part++) {",
    "    if (i >= dims.UNITS) { return; }",
    ...body.map((line) => `    ${line}`),
    `    i += ${LANES}u;`,
    "  }",
    "}",
    "",
  ].join("\n");
  return { code, dims };
}

/** Whether a read takes one element for a whole vec4. */
const isNarrow = (access: Access): boolean =>
  access.kind === "one" || (access.kind === "strided" && access.strides.at(-1) === 0);

/** Positions `at0…` along the axes, as far as a read needs them. One division an axis: they are what costs here. */
function coordinates(sizes: readonly string[], reads: readonly Access[]): string[] {
  const needed = (axis: number) => reads.some((access) => access.kind === "strided" && access.strides[axis] !== 0);
  const lines: string[] = [];
  let rest = "i";
  for (let axis = sizes.length - 1; axis >= 1; axis--) {
    lines.push(`let rest${axis} = ${rest} / ${sizes[axis]};`);
    if (needed(axis)) lines.push(`let at${axis} = ${rest} - rest${axis} * ${sizes[axis]};`);
    rest = `rest${axis}`;
    if (!Array.from({ length: axis }, (_, i) => i).some(needed)) return lines;
  }
  if (needed(0)) lines.push(`let at0 = ${rest};`);
  return lines;
}

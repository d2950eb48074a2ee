import { invariant } from "../../../core/errors.ts";
import type { Access } from "./access.ts";
import type { Chain } from "./chain.ts";
import { expressionContext, expressions, wgslType } from "./expressions.ts";
import type { ChainLayout } from "./layout.ts";
import { FROM_BITS, literal } from "./literal.ts";

/** Invocations of a workgroup. */
export const LANES = 64;

/**
 * WGSL of a chain, and the values of its `Dims`. Sizes, offsets and strides are data, so that the same expression over
 * other shapes is the same text, compiled once.
 */
export function elementwiseSource(
  chain: Chain,
  layout: ChainLayout,
  perLane: number,
): { code: string; dims: Record<string, number> } {
  const { width, accesses, buffers } = layout;
  const libraries = new Set<string>();
  const units = Math.ceil(layout.count / width);
  const dims: Record<string, number> = { UNITS: units, PER_LANE: perLane };

  const axes = accesses.axes.map((size, axis) =>
    axis === accesses.axes.length - 1 ? size / width : size,
  );
  // The outermost size is never divided by.
  axes.slice(1).forEach((size, i) => {
    dims[`SIZE${i + 1}`] = size;
  });

  /** Element of a binding, by an index in its own units. */
  const element = (binding: number, index: string, narrow: boolean): string =>
    narrow && buffers[binding].width === 4
      ? `b${binding}[(${index}) / 4u][(${index}) % 4u]`
      : `b${binding}[${index}]`;

  const loads = chain.reads.map(({ dtype }, i) => {
    const access = accesses.reads[i];
    const { binding, offset } = layout.reads[i];
    const narrow = isNarrow(access);
    const scale = narrow ? 1 : width;
    dims[`READ${i}`] = offset / scale;
    const terms = [`dims.READ${i}`];
    if (access.kind === "full") terms.push("i");
    if (access.kind === "strided")
      access.strides.forEach((stride, axis) => {
        if (stride === 0) return;
        const inner = axis === access.strides.length - 1;
        if (!inner) dims[`STRIDE${i}_${axis}`] = stride / scale;
        terms.push(inner ? `at${axis}` : `at${axis} * dims.STRIDE${i}_${axis}`);
      });
    const loaded = element(binding, terms.join(" + "), narrow);
    return narrow ? `${wgslType(dtype, width)}(${loaded})` : loaded;
  });

  const names: string[] = [];
  const before: string[] = [];
  const body: string[] = [];
  chain.values.forEach((value, n) => {
    names.push(`v${n}`);
    const type = wgslType(value.dtype, width);
    if (value.kind === "number") {
      before.push(`let v${n} = ${type}(${literal(value.value, value.dtype)});`);
    } else if (value.kind === "read") {
      const lines = accesses.reads[value.read].kind === "one" ? before : body;
      lines.push(`let v${n} = ${loads[value.read]};`);
    } else {
      const expression = expressions[value.op];
      invariant(expression, `${value.op} has no WGSL expression`);
      const context = expressionContext(value.attrs, value.dtype, width, (l) => libraries.add(l));
      const text = expression(
        value.args.map((arg) => names[arg]),
        context,
      );
      body.push(`let v${n} = ${text};`);
    }
  });
  chain.writes.forEach(({ value }, i) => {
    const { binding, offset } = layout.writes[i];
    dims[`WRITE${i}`] = offset / width;
    body.push(`b${binding}[dims.WRITE${i} + i] = ${names[value]};`);
  });

  const text = [...before, ...body].join("\n");
  const code = [
    "// elementwise: generated for one fused chain of elementwise ops.",
    ...[...libraries].map((library) => `// uses        lib/${library}`),
    ...buffers.map(
      ({ range, dtype, width: own }, n) =>
        `@group(0) @binding(${n}) var<storage, ${range.access}> b${n}: array<${wgslType(dtype, own)}>;`,
    ),
    `struct Dims { ${Object.keys(dims)
      .map((name) => `${name}: u32`)
      .join(", ")} }`,
    `@group(0) @binding(${buffers.length}) var<uniform> dims: Dims;`,
    ...(text.includes("from_bits(") ? [FROM_BITS] : []),
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
    ...coordinates(axes.length, accesses.reads).map((line) => `    ${line}`),
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
function coordinates(rank: number, reads: readonly Access[]): string[] {
  const needed = (axis: number) =>
    reads.some((access) => access.kind === "strided" && access.strides[axis] !== 0);
  const lines: string[] = [];
  let rest = "i";
  for (let axis = rank - 1; axis >= 1; axis--) {
    lines.push(`let rest${axis} = ${rest} / dims.SIZE${axis};`);
    if (needed(axis)) lines.push(`let at${axis} = ${rest} - rest${axis} * dims.SIZE${axis};`);
    rest = `rest${axis}`;
    if (!Array.from({ length: axis }, (_, i) => i).some(needed)) return lines;
  }
  if (needed(0)) lines.push(`let at0 = ${rest};`);
  return lines;
}

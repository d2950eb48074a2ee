import { ReferenceBackend } from "../../backends/reference/mod.ts";
import { grad, jvp, program } from "../../core/graph/mod.ts";
import type { HostArray } from "../../core/interfaces/backend.ts";
import { input, mul, sum } from "../../core/ops/mod.ts";
import type { Tensor } from "../../core/tensor/mod.ts";
import { largestError } from "./close.ts";
import { interpret } from "./interpret.ts";
import type { Draw, Example } from "./ops.ts";

const STEP = 1e-5;

/**
 * Holds the gradients of an example to central differences, in float64 on the reference backend: the derivative of
 * Σ c·y along random directions of every f32 input, for a random cotangent c. Returns the largest relative error.
 */
export async function gradcheck(example: Example, draw: Draw, directions = 2): Promise<number> {
  const nodes = example.inputs.map(({ shape, dtype }, i) => input(`x${i}`, shape, dtype));
  const y = example.call(...nodes);
  if (y.dtype !== "f32") return 0;
  const loss = sum(mul(y, input("c", y.shape)));
  const wrt = nodes.filter((node) => node.dtype === "f32");
  const gradients = Object.fromEntries(grad(loss, wrt).map((g, i) => [`g${i}`, g]));
  const backend = new ReferenceBackend("f64");
  const compile = (outputs: Record<string, Tensor>) =>
    backend.compile(program({ name: "gradcheck", outputs }), backend.createMemory());
  const forward = await compile({ loss });
  const both = await compile({ loss, ...gradients });

  const values: Record<string, ArrayLike<number>> = { c: draw.normal(y.shape).data };
  example.inputs.forEach(({ data }, i) => {
    values[`x${i}`] = data;
  });
  const at = async (changed: Record<string, ArrayLike<number>>) => {
    await forward.run({ ...values, ...changed } as Record<string, HostArray>);
    return (await forward.read("loss"))[0];
  };
  await both.run(values as Record<string, HostArray>);
  let worst = 0;
  for (const [i, node] of wrt.entries()) {
    const gradient = Array.from(await both.read(`g${i}`));
    const name = node.attrs.name as string;
    const x = Array.from(values[name]);
    for (let d = 0; d < directions; d++) {
      const u = draw.normal(node.shape).data;
      const moved = (h: number) => ({ [name]: x.map((value, k) => value + h * u[k]) });
      const numeric = ((await at(moved(STEP))) - (await at(moved(-STEP)))) / (2 * STEP);
      const exact = gradient.reduce((total, g, k) => total + g * u[k], 0);
      const error = Math.abs(exact - numeric) / Math.max(1e-2, Math.abs(exact) + Math.abs(numeric));
      worst = Math.max(worst, Number.isNaN(error) ? Infinity : error);
    }
  }
  return worst;
}

/**
 * Holds the tangents of an example to central differences, in float64 on the reference backend: along random directions of every f32
 * input alone, and of all of them together. Returns the largest relative error of an element.
 */
export async function tangentCheck(example: Example, draw: Draw): Promise<number> {
  const nodes = example.inputs.map(({ shape, dtype }, i) => input(`x${i}`, shape, dtype));
  const y = example.call(...nodes);
  const moving = nodes.flatMap((node, i) => (node.dtype === "f32" ? [{ node, name: `x${i}` }] : []));
  if (y.dtype !== "f32" || moving.length === 0) return 0;
  const values = Object.fromEntries(example.inputs.map(({ data }, i) => [`x${i}`, Float64Array.from(data)]));
  const directions = Object.fromEntries(moving.map(({ node, name }) => [name, draw.normal(node.shape).data]));
  const moved = (names: readonly string[], h: number) =>
    Object.fromEntries(names.map((name) => [name, values[name].map((value, k) => value + h * directions[name][k])]));
  let worst = 0;
  for (const along of [...moving.map((each) => [each]), moving]) {
    const names = along.map(({ name }) => name);
    const [tangent] = jvp(
      [y],
      along.map(({ node, name }) => [node, input(`d${name}`, node.shape)]),
    );
    const given = Object.fromEntries(names.map((name) => [`d${name}`, directions[name]]));
    const [exact] = interpret([tangent], { ...values, ...given });
    const [ahead, behind] = [STEP, -STEP].map((h) => interpret([y], { ...values, ...moved(names, h) })[0]);
    const numeric = ahead.map((value, i) => (value - behind[i]) / (2 * STEP));
    worst = Math.max(worst, largestError(exact, numeric));
  }
  return worst;
}

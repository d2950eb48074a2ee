/** Runs a sampler on a backend with given draws, and keeps what it does at every step. */
import { type GaussianMixture, mixtureDenoiser } from "../../core/diffusion/mod.ts";
import { program } from "../../core/graph/mod.ts";
import type { Backend, Condition, Denoiser, Sampler, SamplerRule } from "../../core/interfaces/mod.ts";
import type { Shape, Tensor } from "../../core/tensor/mod.ts";
import { sizeOf } from "../../core/tensor/shape.ts";
import { samplerStates, type TracedRule, traceRule } from "../../core/train/mod.ts";
import { Feed, type Numbers } from "./feed.ts";
import type { GoldenCase } from "./goldenCase.ts";

export interface SamplerRequest {
  readonly backend: Backend;
  readonly sampler: Sampler;
  readonly denoiser: Pick<Denoiser, "denoise">;
  /** x before the first step, scaled as the sampler has it. */
  readonly start: Numbers;
  /** [B, …] */
  readonly shape: Shape;
  /** The draw that a step asks for; `index` counts the draws of all steps. */
  readonly noise: (step: number, index: number) => Float32Array;
  readonly condition?: Condition;
  /** Values of inputs that the denoiser and the condition have. */
  readonly feed?: Feed;
}

/** One evaluation of the denoiser. */
export interface DenoiserCall {
  readonly x: Float32Array;
  readonly sigma: number;
  readonly denoised: Float32Array;
}

export interface SamplerRecord {
  /** x after every step. */
  readonly states: Float32Array[];
  readonly calls: DenoiserCall[];
  /** The draws that every step used. */
  readonly noises: Float32Array[][];
}

/** Every step of a sampler: its rules as the product's own programs, replayed with the numbers of the steps. */
export async function runSampler(request: SamplerRequest): Promise<SamplerRecord> {
  const { backend, sampler, shape, feed = new Feed() } = request;
  const memory = backend.createMemory();
  const states = samplerStates(sampler, "x", shape);
  for (const name of states.names) memory.allocate(name, sizeOf(shape));
  memory.write("x", Float32Array.from(request.start));
  const compiled = new Map<SamplerRule, Awaited<ReturnType<typeof compile>>>();
  const record: SamplerRecord = { states: [], calls: [], noises: [] };
  let drawn = 0;
  for (const [step, { rule, values }] of sampler.steps.entries()) {
    if (!compiled.has(rule)) compiled.set(rule, await compile(rule));
    const { run, scalars, noises, nfe } = compiled.get(rule)!;
    const draws = noises.map(() => request.noise(step, drawn++));
    await run.run({
      ...feed.values,
      scalars: scalars.encode(values),
      ...Object.fromEntries(noises.map((name, i) => [name, draws[i]])),
    });
    for (let k = 0; k < nfe; k++) {
      const read = async (what: string) => (await run.read(`${what}${k}`)) as Float32Array;
      const [x, sigma, denoised] = [await read("x"), await read("sigma"), await read("denoised")];
      record.calls.push({ x, sigma: sigma[0], denoised });
    }
    record.noises.push(draws);
    record.states.push((await memory.read("x")) as Float32Array);
  }
  for (const { run } of compiled.values()) run.dispose();
  memory.dispose();
  return record;

  async function compile(rule: SamplerRule) {
    const outputs: Record<string, Tensor> = {};
    let calls = 0;
    const traced: TracedRule = traceRule(rule, states, (x, sigma, told) => {
      const denoised = request.denoiser.denoise(x, sigma, { ...request.condition, ...told });
      Object.assign(outputs, {
        [`x${calls}`]: x,
        [`sigma${calls}`]: sigma,
        [`denoised${calls}`]: denoised,
      });
      calls++;
      return denoised;
    });
    const name = `sampler ${rule.name}`;
    const run = await backend.compile(program({ name, outputs, updates: traced.updates }), memory);
    return { run, ...traced };
  }
}

/** The mixture that stands for a trained model in the cases of samplers. */
export function mixtureOf(reference: GoldenCase): GaussianMixture {
  const [K, ...sample] = reference.shape("gmm.mu");
  const mu = reference.f64("gmm.mu");
  const D = sizeOf(sample);
  return {
    means: Array.from({ length: K }, (_, k) => [...mu.subarray(k * D, (k + 1) * D)]),
    deviations: [...reference.f64("gmm.s")],
    weights: [...reference.f64("gmm.logpi")].map(Math.exp),
  };
}

/** The same as a denoiser. */
export const mixtureModel = (reference: GoldenCase): Denoiser => mixtureDenoiser(mixtureOf(reference));

/** Rows of a tensor [n, …] of a case, one after another. */
export function rowsOf(reference: GoldenCase, name: string): Float32Array[] {
  const [count, ...rest] = reference.shape(name);
  const size = sizeOf(rest);
  const all = reference.f32(name);
  return Array.from({ length: count }, (_, i) => all.slice(i * size, (i + 1) * size));
}

/** Arrays end to end. */
export const joined = (parts: readonly Numbers[]): number[] => parts.flatMap((part) => Array.from(part));

/** Compares every `out.call_*` that a sub-case has. */
export function checkCalls(
  { reference, check }: { reference: GoldenCase; check(actual: Numbers, name: string): void },
  id: string,
  { calls }: SamplerRecord,
): void {
  const made = {
    call_x: joined(calls.map(({ x }) => x)),
    call_sigma: calls.map(({ sigma }) => sigma),
    call_denoised: joined(calls.map(({ denoised }) => denoised)),
  };
  for (const [name, values] of Object.entries(made))
    if (reference.has(`${id}.out.${name}`)) check(values, `${id}.out.${name}`);
}

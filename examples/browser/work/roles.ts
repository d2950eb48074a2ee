// From their files and not from core/mod.ts: a bundle divides by files, and would bring all of training along.
import type { Backend, Denoiser, HostArray, Memory, Sampler } from "../../../core/interfaces/mod.ts";
import { gunzip, isGzip } from "../../../core/io/gunzip.ts";
import { Registry } from "../../../core/plugin/mod.ts";
import { sampleNoise } from "../../../core/random/hostRandom.ts";
import { decodeWeights, type WeightsInfo } from "../../../core/train/files/weightsFile.ts";
import { SampleDrawer } from "../../../core/train/sampling/sampleDrawer.ts";
import type { Player } from "../../../core/train/update/player.ts";
import { fakeScore } from "../../../plugins/critics/fakeScore.ts";
import { fewStep } from "../../../plugins/generators/fewStep.ts";
import { dmd2Method } from "../../../plugins/methods/dmd2.ts";
import { adm } from "../../../plugins/networks/adm.ts";
import { heun } from "../../../plugins/samplers/heun.ts";
import { edm } from "../../../plugins/teachers/edm.ts";
import { type KnownScales, scalesOf } from "../../engine/guidance.ts";
import { placeRole, type StoredWeights, storedPlugins } from "../../engine/storedWeights.ts";
import type { DrawRequest, DrawResult, RoleReport } from "./messages.ts";

/** The plugins that the weights of this folder name. */
const registry = new Registry().register([adm, edm, fewStep, fakeScore, heun, dmd2Method]);

/** Unpacked weights are no larger. */
const MOST_BYTES = 64 * 2 ** 20;

/** Digits that are computed together: a program is made for each of these numbers when it is first of use. */
const batches = [1, 4, 10];

/** Most digits of one drawing. */
export const MOST_DIGITS = batches[batches.length - 1];

/** Weights as they were fetched. */
export interface Fetched {
  readonly bytes: number;
  readonly content: StoredWeights;
}

/** @throws CheckpointError where the file is damaged or no weights of onestep */
export async function unpackWeights(packed: Uint8Array, file: string): Promise<Fetched> {
  // Some servers unpack on the way what is called .gz.
  const content = isGzip(packed) ? await gunzip(packed, file, () => MOST_BYTES) : packed;
  return { bytes: packed.length, content: decodeWeights(content, file) };
}

/** A role on a device, ready to draw. */
export class DrawnRole {
  readonly report: RoleReport;
  readonly #backend: Backend;
  readonly #memory: Memory;
  readonly #player: Player<Denoiser>;
  readonly #sampler: Sampler;
  readonly #info: WeightsInfo;
  readonly #drawers = new Map<number, SampleDrawer>();

  private constructor(backend: Backend, { bytes, content }: Fetched) {
    const { tensors } = content;
    const info = withScale(content.info);
    this.#backend = backend;
    this.#info = info;
    this.#memory = backend.createMemory();
    const plugins = storedPlugins(info, "heun", [], registry);
    const { player, sampler } = placeRole(backend, this.#memory, plugins, info, true);
    player.load(tensors);
    this.#player = player;
    this.#sampler = sampler;
    this.report = { bytes, guidance: guidanceOf(info) };
  }

  /** Puts weights on a device and draws once, which takes what only the first time takes; unless digits take seconds there. */
  static async open(backend: Backend, fetched: Fetched): Promise<DrawnRole> {
    const role = new DrawnRole(backend, fetched);
    const nothing = Array<number>(MOST_DIGITS).fill(0);
    if (backend.info.backend !== "reference") await role.draw({ role: "generator", labels: nothing, seeds: nothing });
    return role;
  }

  async draw({ labels, seeds, first = 0, toward, part = 0, guidance, watch }: DrawRequest): Promise<DrawResult> {
    const count = labels.length;
    const drawer = await this.#drawer(batches.find((batch) => batch >= count) ?? MOST_DIGITS);
    const noise = this.#noise(seeds, first, toward, part);
    const { condition: known } = this.#info.data;
    const condition: Record<string, HostArray> = { label: Int32Array.from(labels) };
    if (known.guidance) condition.guidance = new Float32Array(count).fill(guidance ?? this.report.guidance!.usual);
    const states: Float32Array[] = [];
    const { begins } = drawer;
    const take = (step: number, _: number, x: Float32Array) => {
      const { sigma = 0 } = begins[step];
      // Of the variance of data, so that noise and digits are seen at one brightness.
      const scale = 1 / Math.hypot(1, sigma / this.#info.data.sigmaData);
      states.push(x.map((value) => value * scale));
    };
    const start = performance.now();
    const { x, nfe } = await drawer.draw({
      count,
      seed: 0,
      noise,
      condition,
      ...(watch && { states: { steps: begins.map((_, step) => step), take } }),
    });
    return { x, nfe, ms: performance.now() - start, states };
  }

  /** Noise `first + i` of seed i; on the way to another, along the arc between them. */
  #noise(seeds: readonly number[], first: number, toward: readonly number[] | undefined, part: number): Float32Array {
    const size = this.#info.data.sample.reduce((product, each) => product * each, 1);
    const noise = new Float32Array(seeds.length * size);
    const other = new Float32Array(size);
    const [here, there] = [Math.cos((part * Math.PI) / 2), Math.sin((part * Math.PI) / 2)];
    for (const [i, seed] of seeds.entries()) {
      const own = noise.subarray(i * size, (i + 1) * size);
      sampleNoise(own, { seed, draw: 0, first: first + i, size });
      if (!toward || part === 0) continue;
      sampleNoise(other, { seed: toward[i], draw: 0, first: first + i, size });
      for (let k = 0; k < size; k++) own[k] = here * own[k] + there * other[k];
    }
    return noise;
  }

  async #drawer(batch: number): Promise<SampleDrawer> {
    let drawer = this.#drawers.get(batch);
    if (!drawer) {
      drawer = await SampleDrawer.create(
        this.#backend,
        this.#memory,
        this.#player,
        this.#sampler,
        this.#info.data,
        batch,
      );
      this.#drawers.set(batch, drawer);
    }
    return drawer;
  }
}

/** The scales of guidance that a generator can be told, where it has learned more than one. */
function guidanceOf(info: WeightsInfo): KnownScales | undefined {
  const known = scalesOf(info);
  return known && known.most > known.least ? known : undefined;
}

/** Weights whose scale of guidance comes with each drawing: one program draws at all scales. */
function withScale(info: WeightsInfo): WeightsInfo {
  if (!guidanceOf(info)) return info;
  const condition = { ...info.data.condition, guidance: { shape: [], dtype: "f32", empty: "same" } as const };
  return { ...info, data: { ...info.data, condition } };
}

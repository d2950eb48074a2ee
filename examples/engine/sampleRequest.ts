import { failure } from "../../core/errors.ts";
import { classesOf, type HostArray } from "../../core/interfaces/mod.ts";
import type { PictureSize } from "../../core/pixels/mod.ts";
import { callback, checkOptions, number, object, type Rule, text } from "../../core/plugin/mod.ts";
import { refuse } from "../../core/plugin/spec.ts";
import type { WeightsInfo } from "../../core/train/files/weightsFile.ts";
import type { Pixels } from "./pictures.ts";
import { labelOf } from "./storedWeights.ts";

/** What to sample. */
export interface SampleRequest {
  /** Samples; one by default, of prompts one for each. */
  readonly count?: number;
  /** Every random draw follows from it; 0 by default. Sample i of a seed does not depend on how many are drawn. */
  readonly seed?: number;
  /** The class of all samples, or of each, by name or number from 0. Without it every class has its turn. */
  readonly label?: string | number | readonly (string | number)[];
  /** For a model that is told texts: one for all pictures, or several in turn. */
  readonly prompt?: string | readonly string[];
  /** What guidance leads away from, in place of no text. */
  readonly negative?: string;
  /** Steps of the sampler. A generator of few steps has its own. */
  readonly steps?: number;
  /** Another sampler than the model's own, by name. */
  readonly sampler?: string;
  /** Factor of guidance, for a model that is guided, or a generator that was taught to be told it. */
  readonly guidance?: number;
  /** Of each picture, for a model that draws several sizes. */
  readonly size?: PictureSize;
  /** Other entries of the condition, one value or row for each sample, such as encoded texts. */
  readonly condition?: Readonly<Record<string, HostArray>>;
  /** Ends the work between two steps with E_ABORTED. */
  readonly signal?: AbortSignal;
  /** Hears how far the drawing is; `total` counts samples, or steps of all pictures of a text. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** Samples on the host. */
export interface Sampled {
  /** [count, …] */
  readonly shape: readonly number[];
  /** Values of the model's data: pictures from -1 to 1, channel after channel, row by row. */
  readonly x: Float32Array;
  /** The class of each, where there are classes. */
  readonly labels?: Int32Array;
  /** What each was asked to show, by the names of the model's data; the classes among it. */
  readonly condition: Readonly<Record<string, HostArray>>;
  readonly seed: number;
  /** Network calls that each took. */
  readonly nfe: number;
  /** The samples as bytes, grey or RGB, for a PNG file or a canvas. @throws E_SHAPE for samples that are no pictures */
  pictures(): Pixels[];
}

/** Something of a program that no file can hold. */
function given(expected: string, is: (value: unknown) => boolean): Rule<unknown> {
  return {
    expected,
    fromText: (text) => text,
    read: (value, place) => (is(value) ? value : refuse(place, expected, value)),
  };
}

/** A signal, or a stand-in of a runtime that has its own. */
export const signalRule: Rule<unknown> = given(
  "an AbortSignal",
  (value) => typeof value === "object" && value !== null && "aborted" in value && "addEventListener" in value,
);

const isLabel = (value: unknown) => typeof value === "string" || (Number.isInteger(value) && (value as number) >= 0);
const isTexts = (value: unknown) => Array.isArray(value) && value.every((each) => typeof each === "string");

/** What each part of a request may be. */
export const sampleRules: Readonly<Record<keyof SampleRequest, Rule<unknown>>> = {
  count: number({ min: 1, max: 2 ** 31, integer: true }),
  seed: number({ min: 0, max: 2 ** 31, integer: true }),
  label: given(
    "a class by name or number, or a list of them",
    (value) => isLabel(value) || (Array.isArray(value) && value.length > 0 && value.every(isLabel)),
  ),
  prompt: given("a text or a list of texts", (value) => typeof value === "string" || isTexts(value)),
  negative: text(),
  steps: number({ min: 1, max: 10_000, integer: true }),
  sampler: text(),
  guidance: number({ min: 0 }),
  size: object,
  condition: object,
  signal: signalRule,
  onProgress: callback,
};

/**
 * Holds a request to its rules, and to what a kind of model knows.
 * @param unknown what this model does not know, and why
 * @throws E_OPTION or E_UNKNOWN_OPTION
 */
export function checkRequest(
  request: SampleRequest,
  unknown: Partial<Readonly<Record<keyof SampleRequest, string>>> = {},
): void {
  checkOptions("sample", sampleRules, request);
  for (const [name, why] of Object.entries(unknown))
    if (request[name as keyof SampleRequest] !== undefined)
      throw failure("E_OPTION", `Cannot sample with ${name}: ${why}`, { fix: `leave ${name} out` });
}

/** The entries of the condition that a request asks for. @throws E_OPTION for a class that there is not */
export function conditionOf(
  { label, condition }: SampleRequest,
  count: number,
  info: Pick<WeightsInfo, "data">,
): Record<string, HostArray> {
  if (label === undefined) return { ...condition };
  if (typeof label !== "object") {
    const place = labelOf(String(label), info);
    return { ...condition, label: new Int32Array(count).fill(place) };
  }
  if (label.length !== count)
    throw failure("E_OPTION", `Cannot draw ${count} samples: there are ${label.length} labels, expected one for each`, {
      fix: `give ${count} labels, or one for all`,
    });
  return { ...condition, label: Int32Array.from(label, (each) => labelOf(String(each), info)) };
}

/** The classes of samples by name, or by number where they have no names; undefined where there are none. */
export function classNames({ data }: Pick<WeightsInfo, "data">): readonly string[] | undefined {
  const count = classesOf(data);
  if (count === 0) return undefined;
  return data.condition.label?.names ?? Array.from({ length: count }, (_, i) => String(i));
}

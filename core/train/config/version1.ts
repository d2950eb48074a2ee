/** What version 0.1.0 wrote, in the words of today: its configs, and the shapes of data in its weights files. */
import { type ConditionShape, classLabel } from "../../interfaces/condition.ts";
import type { DataShape } from "../../interfaces/dataset.ts";
import { mergeConfig } from "../../plugin/mod.ts";
import { isRecord, SettingText } from "../../plugin/spec.ts";

/** The method of every run of 0.1.0. */
const METHOD = { use: "dmd2" };

/**
 * A config with the names of today: `schedule` is `process`; `train.ttur`, `train.criticImages` and `train.teacher` are options
 * of the method, which is `dmd2` where there is none; samplers take their noise levels from the process. Configs of today,
 * which name a method, come back as they are.
 */
export function modernised(config: object): object {
  const { schedule, method, train, ...rest } = config as Record<string, unknown>;
  const modern: Record<string, unknown> = { ...rest, method: method ?? METHOD };
  if (method === undefined && isRecord(rest.sampler)) modern.sampler = modernSampler(rest.sampler);
  if (schedule !== undefined) modern.process = mergeConfig(rest.process, schedule);
  // A setting for the whole section is none of 0.1.0's.
  if (!isRecord(train) || train instanceof SettingText) return train === undefined ? modern : { ...modern, train };
  const { criticStepsPerGeneratorStep: ratio, ttur, criticImages, teacher, ...kept } = train;
  // The short form wins over the long one.
  const turns = ratio === undefined ? ttur : mergeConfig(ttur, { critic: ratio, generator: 1 });
  const moved = Object.entries({ ttur: turns, criticImages, teacher });
  const options = moved.filter(([, value]) => value !== undefined);
  if (options.length > 0) modern.method = mergeConfig(modern.method, Object.fromEntries(options));
  return { ...modern, train: kept };
}

/** `start` and a table `schedule` are the process's now; the `schedule` of edm-ablation, a word, is `timeScale`. */
function modernSampler({ start: _, schedule, ...sampler }: Record<string, unknown>): object {
  return schedule === undefined || isRecord(schedule) ? sampler : { ...sampler, timeScale: schedule };
}

/** A shape of data in which conditions are described: 0.1.0 had a number of classes, and sizes of texts. */
export function modernShape(data: unknown): DataShape {
  const { classes, text, ...rest } = data as Record<string, unknown>;
  if (rest.condition !== undefined || typeof classes !== "number") return data as DataShape;
  const condition = { ...classLabel(classes), ...(isRecord(text) && textEntries(text)) };
  return { ...rest, condition } as unknown as DataShape;
}

function textEntries({ tokens, width, pooled, unconditional }: Record<string, unknown>): ConditionShape {
  const empty = (name: string) => {
    if (!Array.isArray(unconditional)) return {};
    return { empty: unconditional.includes(name) ? ("stored" as const) : ("zero" as const) };
  };
  const entry = (...shape: unknown[]) => ({ shape: shape as number[], dtype: "f32" as const });
  return {
    text: { ...entry(tokens, width), ...empty("text") },
    ...(pooled !== undefined && {
      pooled: { ...entry(pooled), ...empty("pooled") },
      timeIds: { ...entry(6), empty: "same" as const },
    }),
  };
}

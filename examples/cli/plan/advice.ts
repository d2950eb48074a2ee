import type { Resolver } from "../../../core/di/resolver.ts";
import type { Token } from "../../../core/di/token.ts";
import { OnestepError } from "../../../core/errors.ts";
import { type Backend, METHOD, type Stage } from "../../../core/interfaces/mod.ts";
import { planRun, type RunSettings } from "../../../core/train/mod.ts";
import { mebibytes } from "./report.ts";

/** A change of the config, as flags, and what it makes of settings and stages. */
interface Change {
  readonly flags: string;
  readonly settings: RunSettings;
  readonly stages: readonly Stage[];
}

/** Changes worth trying, those that leave the result as it is first: repeated blocks, a gathered gradient, smaller batches. */
function changesOf(settings: RunSettings, stages: readonly Stage[]): Change[][] {
  const { batch, accumulate, checkpointing } = settings;
  const blocks = { ...settings, checkpointing: "blocks" as const };
  const blocksFlag = "--set train.checkpointing=blocks";
  const bases: [string, RunSettings][] = [["", settings]];
  if (checkpointing !== "blocks") bases.push([blocksFlag, blocks]);
  const join = (...flags: string[]) => flags.filter(Boolean).join(" ");
  const families: Change[][] = bases.slice(1).map(([flags, changed]) => [{ flags, settings: changed, stages }]);
  const divides = (n: number) => stages.every((stage) => stage.steps === 0 || stage.batch % n === 0);
  for (const [flags, base] of bases) {
    const [parts, sizes]: [Change[], Change[]] = [[], []];
    for (let n = accumulate * 2; batch % n === 0 && divides(n); n *= 2)
      parts.push({
        flags: join(flags, `--set train.accumulate=${n}`),
        settings: { ...base, accumulate: n },
        stages,
      });
    for (let size = batch / 2; Number.isInteger(size) && size % accumulate === 0; size /= 2) {
      // A stage with a batch of its own has it from the option of the method that bears its name.
      const own = stages.filter((stage) => stage.batch !== batch && stage.batch > size);
      sizes.push({
        flags: join(flags, `--set train.batch=${size}`, ...own.map(({ name }) => `--set method.${name}.batch=${size}`)),
        settings: { ...base, batch: size },
        stages: stages.map((stage) => ({ ...stage, batch: Math.min(stage.batch, size) })),
      });
    }
    families.push(parts, sizes);
  }
  families.push(
    [50, 20, 10, 5, 1].map((drawBatch) => ({
      flags: `--set train.drawBatch=${drawBatch}`,
      settings: { ...settings, drawBatch },
      stages,
    })),
  );
  return families;
}

/** Ways to make a run fit, a line each with what it then needs; of each kind the smallest change that does. */
export async function waysToFit(
  container: Resolver,
  settings: RunSettings,
  device: Backend,
  capacity: number | undefined,
): Promise<string[]> {
  const ways: string[] = [];
  for (const family of changesOf(settings, container.get(METHOD).stages))
    for (const change of family) {
      const bytes = await needed(container, change, device);
      if (bytes === undefined || bytes > (capacity ?? Number.POSITIVE_INFINITY)) continue;
      ways.push(`${change.flags} needs ${mebibytes(bytes)} MiB`);
      break;
    }
  return ways;
}

/** Bytes at the peak; undefined when a tensor is too large for the device. */
async function needed(container: Resolver, { settings, stages }: Change, device: Backend): Promise<number | undefined> {
  const method = { ...container.get(METHOD), stages };
  const changed: Resolver = {
    has: (key) => container.has(key),
    all: (key) => container.all(key),
    get: <T>(key: Token<T>) => (key.key === METHOD.key ? (method as T) : container.get(key)),
  };
  try {
    return (await planRun(changed, settings, device)).peakBytes;
  } catch (error) {
    if (error instanceof OnestepError && error.code === "E_DEVICE_LIMIT") return undefined;
    throw error;
  }
}

import type { Resolver } from "../../../core/di/resolver.ts";
import { OnestepError } from "../../../core/errors.ts";
import type { Backend } from "../../../core/interfaces/backend.ts";
import { planRun, type ResolvedConfig } from "../../../core/train/mod.ts";
import { mebibytes } from "./report.ts";

type Settings = ResolvedConfig["settings"];

/** A change of the config, as flags, and what it makes of the settings. */
interface Change {
  readonly flags: string;
  readonly settings: Settings;
}

/** Changes worth trying, those that leave the result as it is first: repeated blocks, a gathered gradient, smaller batches. */
function changesOf(settings: Settings): Change[][] {
  const { batch, teacher, accumulate = 1, checkpointing } = settings;
  const blocks = { ...settings, checkpointing: "blocks" as const };
  const blocksFlag = "--set train.checkpointing=blocks";
  const bases: [string, Settings][] = [["", settings]];
  if (checkpointing !== "blocks") bases.push([blocksFlag, blocks]);
  const join = (...flags: string[]) => flags.filter(Boolean).join(" ");
  const families: Change[][] = bases
    .slice(1)
    .map(([flags, changed]) => [{ flags, settings: changed }]);
  for (const [flags, base] of bases) {
    const [parts, sizes]: [Change[], Change[]] = [[], []];
    for (let n = accumulate * 2; batch % n === 0 && teacher.batch % n === 0; n *= 2)
      parts.push({
        flags: join(flags, `--set train.accumulate=${n}`),
        settings: { ...base, accumulate: n },
      });
    for (let size = batch / 2; Number.isInteger(size) && size % accumulate === 0; size /= 2) {
      const own = Math.min(teacher.batch, size);
      const ownFlag = own < teacher.batch ? `--set train.teacher.batch=${own}` : "";
      sizes.push({
        flags: join(flags, `--set train.batch=${size}`, ownFlag),
        settings: { ...base, batch: size, teacher: { ...teacher, batch: own } },
      });
    }
    families.push(parts, sizes);
  }
  return families;
}

/** Ways to make a run fit, a line each with what it then needs; of each kind the smallest change that does. */
export async function waysToFit(
  container: Resolver,
  settings: Settings,
  device: Backend,
  capacity: number | undefined,
): Promise<string[]> {
  const ways: string[] = [];
  for (const family of changesOf(settings))
    for (const { flags, settings: changed } of family) {
      const bytes = await needed(container, changed, device);
      if (bytes === undefined || bytes > (capacity ?? Number.POSITIVE_INFINITY)) continue;
      ways.push(`${flags} needs ${mebibytes(bytes)} MiB`);
      break;
    }
  return ways;
}

/** Bytes at the peak; undefined when a tensor is too large for the device. */
async function needed(
  container: Resolver,
  settings: Settings,
  device: Backend,
): Promise<number | undefined> {
  try {
    return (await planRun(container, settings, device)).peakBytes;
  } catch (error) {
    if (error instanceof OnestepError && error.code === "E_DEVICE_LIMIT") return undefined;
    throw error;
  }
}

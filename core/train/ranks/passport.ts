import { failure } from "../../errors.ts";
import type { Dataset } from "../../interfaces/dataset.ts";
import { sha256 } from "../../io/sha256.ts";
import { hostRandom } from "../../random/hostRandom.ts";
import { differences } from "../config/changes.ts";
import type { RunConfig } from "../config/config.ts";
import type { SharedRequest } from "../run/request.ts";
import { type Ranks, rankName } from "./ranks.ts";

/** What all ranks must have alike. */
interface Passport {
  readonly place: string;
  readonly version: string;
  readonly device: string;
  readonly data: string;
  readonly config: RunConfig;
}

/** Samples that stand for a data set. */
const SAMPLES = 16;

/** Tells data sets apart: the SHA-256, in hexadecimal, of what they describe, their size, and samples from all over them. */
export async function dataFingerprint(dataset: Dataset): Promise<string> {
  const { shape, size, conditionsOnly } = dataset;
  const lines = [JSON.stringify({ shape, size: String(size) }), (await dataset.fingerprint?.()) ?? ""];
  const spread = () => Int32Array.from({ length: SAMPLES }, (_, i) => Math.floor((i * size) / SAMPLES));
  const samples = await dataset.batch(Number.isFinite(size) ? spread() : SAMPLES, hostRandom(0, 0, 0));
  if (!conditionsOnly) lines.push(await sha256(samples.x));
  for (const [name, entry] of Object.entries(samples.condition)) lines.push(`${name} ${await sha256(entry)}`);
  return sha256(new TextEncoder().encode(lines.join("\n")));
}

/**
 * Holds the ranks of a run to one config, one version, one kind of device and the same data.
 * @throws E_RANKS on all of them, with one message
 */
export async function checkPassports(
  ranks: Ranks,
  request: Pick<SharedRequest, "resolved" | "backend" | "version" | "place">,
  { dataset }: { readonly dataset: Dataset },
): Promise<void> {
  if (!ranks.several) return;
  const { resolved, backend, version = "", place = "" } = request;
  const own = async (): Promise<Passport> => ({
    place,
    version,
    device: backend.info.backend,
    data: await dataFingerprint(dataset),
    config: resolved.config,
  });
  const passports = await ranks.all(await ranks.together(own));
  await ranks.led(async () => check(passports));
}

/** @throws E_RANKS that names the first thing in which a rank differs from rank 0 */
function check([first, ...others]: readonly Passport[]): void {
  for (const [i, other] of others.entries()) {
    const refuse = (is: string, shouldBe: string) =>
      failure("E_RANKS", `Cannot share the run: ${rankName(i + 1, other.place)} ${is}, rank 0 ${shouldBe}`);
    if (other.version !== first.version)
      throw refuse(`is onestep ${other.version}`, `is ${first.version}; all should be of one version`);
    const [different] = differences(first.config, other.config);
    if (different)
      throw refuse(
        `has ${different.path} ${different.after ?? "not at all"}`,
        `has ${different.before ?? "it not at all"}; all should have the same config`,
      );
    if (other.device !== first.device)
      throw refuse(`computes on ${other.device}`, `on ${first.device}; all should compute on devices of one kind`);
    if (other.data !== first.data)
      throw refuse("has other data", "does not have the same samples; all should read copies of one data set");
  }
}

import { TEACHER } from "../../../core/interfaces/mod.ts";
import { decodeTorch, type TorchFile, toFloat32 } from "../../../core/io/mod.ts";
import { edm } from "../../../plugins/teachers/edm.ts";
import { edmCondition, edmDataShape, edmNetwork } from "../edmNetwork.ts";
import { compose, evaluateOn, Feed } from "../feed.ts";
import type { GoldenCase } from "../goldenCase.ts";
import type { Job, Kind } from "../kind.ts";
import { whole } from "../settings.ts";

/** Runs `*_expected` of checkpoints: everything their files hold, to the bit, and one call of a network among it. */
export const checkpointsKind: Kind = {
  name: "checkpoints",
  matches: ({ file, config }) => file.endsWith("_expected.safetensors") && "source_files" in config,
  run: runCheckpoints,
};

async function runCheckpoints(job: Job): Promise<void> {
  const { reference, set, checkRatio } = job;
  const { config } = reference;
  const same = (is: boolean, what: string) => checkRatio(is ? 0 : Number.POSITIVE_INFINITY, what);
  for (const file of [...config.source_files] as string[]) {
    const stored = await decodeTorch(set.bytes(file), file);
    const isNetwork = "init_kwargs" in config;
    const nameOf = (name: string) => (isNetwork ? `ema/${name.slice(2)}` : name);
    const wanted = reference.names(isNetwork ? "w." : "");
    for (const name of wanted) same(await isEqual(stored, nameOf(name), reference, name), `${file}: ${name}`);
    same(Object.keys(stored.tensors).length === wanted.length, `${file}: number of tensors`);
    // A case lists some of the values, lists among them whole.
    for (const [path, value] of Object.entries(config.scalars ? whole(config.scalars) : {})) {
      const at = (each: string) => asJson(stored.values[each]);
      const found = Array.isArray(value) ? value.map((_, i) => at(`${path}/${i}`)) : at(path);
      same(JSON.stringify(found) === JSON.stringify(value), `${file}: ${path}`);
    }
    if (isNetwork) {
      const { className, initKwargs } = stored.networks.ema;
      same(className === config.class_name, `${file}: class`);
      const settings = whole(config.init_kwargs);
      for (const [name, value] of Object.entries(initKwargs))
        same(JSON.stringify(asJson(value)) === JSON.stringify(settings[name]), `${file}: argument ${name}`);
      await runNetwork(job, stored);
    }
  }
}

async function isEqual(stored: TorchFile, path: string, reference: GoldenCase, name: string): Promise<boolean> {
  const tensor = await stored.tensors[path]?.read();
  const { dtype, shape, data } = reference.tensor(name);
  if (tensor?.dtype !== dtype || tensor.shape.join() !== shape.join()) return false;
  const bytes = (of: ArrayBufferView) => new Uint8Array(of.buffer, of.byteOffset, of.byteLength);
  const [a, b] = [bytes(tensor.data), bytes(data)];
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** One call of a network with the weights of the file. */
async function runNetwork({ reference, backend, check }: Job, stored: TorchFile): Promise<void> {
  const settings = reference.config.init_kwargs;
  const values: Record<string, Float32Array> = {};
  for (const [path, tensor] of Object.entries(stored.tensors))
    values[path.replace(/^ema\//, "")] = toFloat32(await tensor.read());
  const feed = new Feed();
  const { scope } = feed.weights("w.", (name) => values[name]);
  const teacher = compose(edmDataShape(settings), edmNetwork(settings), edm()).get(TEACHER).bind(scope);
  const given = (name: string) => feed.tensor(name, reference.shape(name), reference.f32(name));
  const denoised = teacher.denoise(given("in.x"), given("in.sigma"), edmCondition(feed, reference));
  const result = await evaluateOn(backend, { "out.D_x": denoised }, feed);
  check(result["out.D_x"], "out.D_x");
}

/** A value as the cases write it: numbers that JSON does not have are texts. */
function asJson(value: unknown): unknown {
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (value === Number.POSITIVE_INFINITY) return "inf";
  return value === Number.NEGATIVE_INFINITY ? "-inf" : value;
}

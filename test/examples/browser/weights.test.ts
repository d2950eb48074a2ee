import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { WasmBackend } from "../../../backends/wasm/mod.ts";
import { decodeWeights, encodeWeights } from "../../../core/mod.ts";
import { packWeights } from "../../../examples/browser/pack.ts";
import { DrawnRole, unpackWeights } from "../../../examples/browser/work/roles.ts";

const test = suite("examples/browser/weights");

const shipped = (role: string) => readFileSync(`examples/browser/weights/${role}.safetensors.gz`);

test("weights that are shipped are packed, and name no place of the machine that trained them", () => {
  for (const role of ["generator", "teacher"]) {
    const whole = gunzipSync(shipped(role));
    const { info } = decodeWeights(whole, role);
    assert.is(info.role, role);
    assert.is("start" in info.config, false);
    assert.not.ok(/"\/|[A-Z]:\\\\/.test(JSON.stringify(info)), "a path in the manifest");
    assert.ok(shipped(role).length < 1.15e6);
    assert.is(Buffer.compare(gunzipSync(packWeights(whole, role)), whole), 0, "packed once more");
  }
});

test("packed weights are the nearest with so many bits", async () => {
  const info = decodeWeights(gunzipSync(shipped("generator")), "").info;
  const data = Float32Array.from({ length: 999 }, (_, i) => (i % 2 ? -1 : 1) * 2 ** ((i % 13) - 8) * (1 + i / 1000));
  const bytes = encodeWeights(
    { w: { shape: [999], data } },
    { ...info, config: { ...info.config, start: { teacher: "/x" } } },
  );
  for (const kept of [2, 5, 10]) {
    const { content } = await unpackWeights(packWeights(bytes, "w", kept), "w");
    for (const [i, value] of content.tensors.w.data.entries()) {
      const step = 2 ** (Math.floor(Math.log2(Math.abs(data[i]))) - kept);
      assert.ok(Math.abs(value - data[i]) <= step / 2, `${data[i]} became ${value}`);
    }
  }
});

test("weights that came damaged are refused, and so is what is no weights file", async () => {
  const whole = shipped("generator");
  const refused = async (bytes: Uint8Array, pattern: RegExp) =>
    unpackWeights(bytes, "weights/generator.safetensors.gz").then(
      () => assert.unreachable(),
      ({ message }: Error) => assert.match(message, pattern),
    );
  await refused(
    whole.subarray(0, 5000),
    /^Cannot unpack weights\/generator.safetensors.gz: the gzip stream is damaged/,
  );
  await refused(
    new TextEncoder().encode("<!doctype html><title>404</title>"),
    /^Cannot (read|load) weights\/generator/,
  );
});

test("the generator says which scales of guidance it can be told, and draws by each with one program", async () => {
  const backend = await WasmBackend.open({ threads: 1, wide: false });
  const role = await DrawnRole.open(backend, await unpackWeights(shipped("generator"), "generator"));
  assert.equal(role.report.guidance, { usual: 1, least: 1, most: 4 });
  const draw = async (guidance?: number) => {
    const { x, nfe } = await role.draw({ role: "generator", labels: [3, 4], seeds: [1, 1], guidance });
    assert.is(nfe, 1);
    return x;
  };
  const [usual, one, four] = [await draw(), await draw(1), await draw(4)];
  assert.equal(usual, one);
  assert.ok(one.filter((value, i) => value !== four[i]).length > 500);
  await backend.close();
});

test("weights without a scale have no slider", async () => {
  const backend = await WasmBackend.open({ threads: 1, wide: false });
  const { bytes, content } = await unpackWeights(shipped("teacher"), "teacher");
  assert.is((await DrawnRole.open(backend, { bytes, content })).report.guidance, undefined);
  await backend.close();
});

test.run();

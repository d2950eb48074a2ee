// Data sets that stay on the disk: what they hold in memory, and what an interruption changes.
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { WasmBackend } from "../../../../backends/wasm/mod.ts";
import type { FileSystem } from "../../../../core/io/mod.ts";
import { Registry } from "../../../../core/plugin/mod.ts";
import { hostRandom } from "../../../../core/random/mod.ts";
import { mergeConfig, Run, resolveConfig } from "../../../../core/train/mod.ts";
import { preset } from "../../../../examples/pictures/preset.ts";
import { allPlugins } from "../../../../plugins/all.ts";
import { webdatasetDataset } from "../../../../plugins/datasets/webdataset.ts";
import { encodePng } from "../../../../plugins/observers/drawing/png.ts";
import { statesOf } from "../../../core/train/support.ts";
import { loadDataset } from "../../../helpers/datasets.ts";
import { type MemoryFiles, memoryFiles } from "../../../helpers/memoryFiles.ts";
import { countingFiles } from "../../../helpers/namedPictures.ts";
import { tarFile, tarHeaderBytes } from "../../../helpers/tarFile.ts";

const test = suite("plugins/datasets/shared/streamedPictures");

const noise = (side: number, channels: 1 | 3, seed: number) => {
  const random = hostRandom(seed, 0, 1);
  const data = Uint8Array.from({ length: side * side * channels }, () => 256 * random());
  return encodePng({ width: side, height: side, channels, data });
};

/** A shard with one picture again and again, which is made where it is read: it may be larger than memory. */
function endlessShard(content: Uint8Array, count: number): FileSystem {
  const period = 512 + Math.ceil(content.length / 512) * 512;
  const size = count * period + 1024;
  const bytesAt = (offset: number, length: number) => {
    const bytes = new Uint8Array(length);
    for (let i = Math.floor(offset / period); i < count && i * period < offset + length; i++) {
      const put = (part: Uint8Array, at: number) => {
        const from = Math.max(0, offset - at);
        const end = Math.min(part.length, offset + length - at);
        if (from < end) bytes.set(part.subarray(from, end), at + from - offset);
      };
      put(tarHeaderBytes(`${String(i).padStart(9, "0")}.png`, content.length), i * period);
      put(content, i * period + 512);
    }
    return bytes;
  };
  return {
    ...memoryFiles(),
    list: async () => ["0.tar"],
    exists: async () => true,
    size: async () => size,
    join: (...parts) => parts.join("/"),
    readRange: async (_, offset, length) => bytesAt(offset, length),
  };
}

setFlagsFromString("--expose-gc");
const collect: () => void = runInNewContext("gc");
/** What is held after all garbage is gone, which takes a few rounds: buffers are freed on another thread. */
async function heldBytes(): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 10; round++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 5));
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    least = Math.min(least, heapUsed + arrayBuffers);
  }
  return least;
}

test("what is held does not grow with the bytes of a set, and no read is larger than a window or a picture", async () => {
  const content = noise(220, 3, 1);
  const held: number[] = [];
  for (const count of [20, 120]) {
    const { files, counted } = countingFiles(endlessShard(content, count));
    const before = await heldBytes();
    const set = await loadDataset(webdatasetDataset(), { files, path: "data" });
    await set.batch(4, hostRandom(0, 0, 1));
    held.push((await heldBytes()) - before);
    assert.is(set.size, count);
    assert.ok(counted.bytes > count * content.length, "not all was looked at");
    assert.ok(counted.largest <= 2 ** 20, `${counted.largest} bytes at once`);
    await set.dispose?.();
  }
  const [few, many] = held;
  // 120 pictures are 17 MB.
  assert.ok(many - few < 2 ** 20, `${few} bytes for 20 pictures, ${many} for 120`);
});

const registry = new Registry().register(allPlugins);

test("a run that was stopped in the middle of a stage goes on with the same pictures: the same bits", async () => {
  const shards = Object.fromEntries(
    [0, 1].map((shard) => {
      const keys = Array.from({ length: 12 }, (_, i) => `${shard}${i}`);
      const files = keys.flatMap((key) => [
        [`${key}.png`, noise(8, 1, Number(key))],
        [`${key}.cls`, new TextEncoder().encode(String(Number(key) % 2))],
      ]);
      return [`data/${shard}.tar`, tarFile(Object.fromEntries(files))];
    }),
  );
  const config = mergeConfig(preset, {
    dataset: { use: "webdataset" },
    network: { channels: 8, channelsPerHead: 8, channelMult: [1], attention: [] },
    sampler: { steps: 2 },
    method: { teacher: { steps: 4, batch: 3 } },
    train: { steps: 2, batch: 2, evaluateCount: 1 },
  });
  const backend = await WasmBackend.open();
  const finish = async (files: MemoryFiles, existing?: "resume", stopAfter?: number) => {
    const run = await Run.create({
      resolved: resolveConfig(config, registry),
      backend,
      data: { files: memoryFiles(shards), path: "data" },
      output: { files, path: "out", existing },
    });
    run.bus.on("step/end", ({ step }) => void (step === stopAfter && run.stop()));
    const { reason } = await run.start();
    const states = await statesOf(run);
    await run.dispose();
    return { reason, states };
  };
  const whole = await finish(memoryFiles());
  const files = memoryFiles();
  assert.is((await finish(files, undefined, 1)).reason, "stopped");
  const resumed = await finish(files, "resume");
  assert.equal([whole.reason, resumed.reason], ["complete", "complete"]);
  assert.equal(resumed.states, whole.states);
  await backend.close();
});

test.run();

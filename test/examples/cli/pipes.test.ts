// Every place where a path is opened: a pipe there is refused, and not waited for.
import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { files } from "../../../backends/host/files.ts";
import { readSafetensors } from "../../../core/io/mod.ts";
import { loadCheckpoint, readWeights, runFolder } from "../../../core/train/mod.ts";
import { readConfig } from "../../../examples/cli/configFile.ts";
import { loadPlugins } from "../../../examples/cli/pluginFile.ts";
import { readPrompts } from "../../../examples/cli/prompts.ts";
import { checkOutput } from "../../../examples/cli/storedWeights.ts";
import { cifar10Dataset, imagesDataset, latentsDataset, mnistDataset, picturesDataset } from "../../../plugins/mod.ts";
import { refusedDataset } from "../../helpers/datasets.ts";
import { scratch } from "./program.ts";

const test = suite("examples/cli pipes");
const { path, remove } = scratch();
test.after(remove);

/** Makes a pipe. */
const pipe = (name: string): string => {
  mkdirSync(dirname(path(name)), { recursive: true });
  execFileSync("mkfifo", [path(name)]);
  return path(name);
};
const refused = async (work: Promise<unknown>, code = "E_FILE") => {
  const error = await work.then(
    () => undefined,
    (reason) => reason,
  );
  assert.is(error?.code, code, error?.stack);
  assert.match(error.message, /a pipe, a socket or a device|it is no plain file/);
};

if (process.platform !== "win32") {
  test("configs, weights, pairs, prompts, plugin files, results", async () => {
    const one = pipe("one.ts");
    const given = { positionals: [], text: () => undefined, all: () => [], on: () => true };
    await refused(readConfig(one, files));
    await refused(readSafetensors(files, one));
    await refused(readWeights(files, one));
    await refused(readPrompts(one, files, {}, 1));
    await refused(loadPlugins(one), "E_PLUGIN_FILE");
    await refused(checkOutput(one, given));
    await refused(files.write(one, new Uint8Array(1)));
  });

  test("a plugin file that imports one", async () => {
    pipe("beside.ts");
    await files.write(path("own.ts"), new TextEncoder().encode('import "./beside.ts";\nexport default 1;\n'));
    await refused(loadPlugins(path("own.ts")), "E_PLUGIN_FILE");
  });

  test("files in the folder of a data set, and the folder itself", async () => {
    const sets = {
      mnist: [
        mnistDataset(),
        "train-images-idx3-ubyte",
        "train-labels-idx1-ubyte",
        "t10k-images-idx3-ubyte",
        "t10k-labels-idx1-ubyte",
      ],
      cifar10: [cifar10Dataset({ batches: 1 }), "data_batch_1.bin", "test_batch.bin.gz"],
      images: [imagesDataset(), "a.safetensors"],
      latents: [latentsDataset(), "a.safetensors"],
      pictures: [picturesDataset(), "a.png"],
    } as const;
    for (const [folder, [plugin, ...names]] of Object.entries(sets)) {
      for (const name of names) pipe(`${folder}/${name}`);
      const { code, message } = await refusedDataset(plugin, { files, path: path(folder) });
      assert.ok(["E_FILE", "E_DATA"].includes(code), `${folder}: ${code} ${message}`);
      assert.match(message, /a pipe, a socket or a device/);
      const inPlace = await refusedDataset(plugin, { files, path: pipe(`no-${folder}`) });
      assert.match(inPlace.message, /a folder should be there/);
    }
  });

  test("files of a run: config, mark, log, lock, checkpoints of today and of 0.1.0", async () => {
    const run = path("run");
    for (const name of ["config.json", "run.json", "events.jsonl", "run.lock"]) pipe(`run/${name}`);
    pipe("run/checkpoint/1-teacher-4.safetensors");
    pipe("old/manifest.msgpack");
    const folder = runFolder(files, run);
    assert.not(await folder.isOurs(), "nobody knows whose it is");
    await refused(folder.claim());
    await refused(files.size(folder.events));
    await refused(files.append(folder.events, "x"));
    await refused(loadCheckpoint(files, folder.checkpoint));
    await refused(loadCheckpoint(files, path("old")));
  });
}

test.run();

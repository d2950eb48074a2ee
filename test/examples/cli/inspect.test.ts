import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { encodeSafetensors } from "../../../core/io/mod.ts";
import { inspected } from "../../../examples/cli/inspect.ts";
import { goldenBytes } from "../../helpers/golden.ts";
import { picture } from "../../helpers/namedPictures.ts";
import { npyFile } from "../../helpers/npyFile.ts";
import { tarFile } from "../../helpers/tarFile.ts";
import { zipFile } from "../../helpers/zipFile.ts";
import { onestep, scratch } from "./program.ts";

const test = suite("examples/cli/inspect");
const { path, remove } = scratch();
test.after(remove);

const write = (name: string, bytes: Uint8Array | string) => {
  writeFileSync(path(name), bytes);
  return path(name);
};

test("files and folders are told by what they hold", async () => {
  const many = Object.fromEntries(
    Array.from({ length: 30 }, (_, i) => [`t${i}`, { dtype: "F32" as const, shape: [2], data: new Float32Array(2) }]),
  );
  const statistics = zipFile({
    "mu.npy": npyFile("<f8", [1], Float64Array.of(0)),
    "sigma.npy": npyFile("<f8", [1, 1], Float64Array.of(1)),
  });
  for (const name of ["pictures/cats", "classes/cats", "classes/dogs"]) mkdirSync(path(name), { recursive: true });
  for (const name of ["cats/0.png", "cats/1.png", "dogs/0.png"]) write(`classes/${name}`, picture(7));
  const cases: [file: string, says: RegExp[]][] = [
    [
      write("model.bin", goldenBytes("pytorch_model.bin")),
      [/a PyTorch file of 6 tensors, 108 numbers/, /model\.layer0\.weight +F32 +\[6, 5\]/],
    ],
    [write("many.safetensors", encodeSafetensors(many)), [/30 tensors, 60 numbers/, /and 10 more; --all lists them/]],
    [write("s.npz", statistics), [/2 arrays of NumPy/, /--metric fid/]],
    [path("pictures"), [/1 folders and 0 files/, /train pictures/]],
    [path("classes"), [/: 3 pictures in 2 folders, a class each$/m, /^cats +2 files +the first is 2 x 1 grey$/m]],
    [path("classes/cats"), [/: 2 pictures without classes$/m, /^0\.png +2 x 1 grey\n.*train pictures --data/m]],
  ];
  for (const [file, says] of cases) {
    const { code, stdout, stderr } = await onestep("inspect", file);
    assert.is(code, 0, stderr);
    for (const each of says) assert.match(stdout, each);
  }
});

test("data sets are told with what they hold and the line that trains on them", async () => {
  const utf8 = (text: string) => new TextEncoder().encode(text);
  const sample = (key: string) => ({
    [`${key}.png`]: picture(1),
    [`${key}.cls`]: utf8("3"),
    [`${key}.txt`]: utf8(`the ${key}`),
  });
  for (const folder of ["shards", "coco/annotations", "coco/val2014", "cifar"])
    mkdirSync(path(folder), { recursive: true });
  const zip = zipFile({
    "a.png": picture(1),
    "b.png": picture(2),
    "dataset.json": utf8('{"labels": [["b.png", 0], ["a.png", 1]]}'),
  });
  const lone = zipFile({
    "a.png": picture(1),
    "b.png": picture(2),
    "dataset.json": utf8('{"labels": [["b.png", 0]]}'),
  });
  write("shards/x-0.tar", tarFile(sample("cat")));
  write("shards/x-1.tar", tarFile(sample("dog")));
  write("coco/val2014/p.png", picture(1));
  write("cifar/data_batch_1.bin.gz", "");
  const captions = { images: [{ id: 1, file_name: "p.png" }], annotations: [{ image_id: 1, caption: "a point" }] };
  write("coco/annotations/captions_val2014.json", JSON.stringify(captions));
  const pattern = path("shards/x-{0..1}.tar");
  const cases: [file: string, says: RegExp[]][] = [
    [
      write("set.zip", zip),
      [
        /2 pictures in a zip archive; the first 2 are 2 x 1 grey; 2 classes; no captions/,
        /a\.png +2 x 1 grey +class 1/,
        /train pictures --set dataset\.use=edm-zip --data \S+set\.zip`/,
      ],
    ],
    [write("lone.zip", lone), [/1 cannot be used, such as .*"a\.png": it has no label/, /--set dataset\.skipBad=true/]],
    [
      path("shards"),
      [
        /2 pictures in tar shards; .*4 classes; captions; 2 shards/,
        /dog\.png .* class 3 +the dog/,
        /dataset\.use=webdataset --data/,
      ],
    ],
    [pattern, [/2 pictures in tar shards/, /--data '\S+x-\{0\.\.1\}\.tar'`/]],
    [path("coco"), [/1 pictures with captions of COCO/, /val2014\/p\.png +2 x 1 grey +a point/, /dataset\.use=coco/]],
    [path("cifar"), [/CIFAR-10/, /train cifar10 --data/]],
    [write("prompts.txt", "a cat\na dog\n"), [/a list of 2 prompts/, /2 +a dog/]],
  ];
  for (const [file, says] of cases) {
    const text = await inspected(file, false);
    for (const each of says) assert.match(text, each);
  }
});

test("what can't be told, and what would run a program, is refused", async () => {
  const cases: [file: string, says: RegExp][] = [
    [path("nowhere"), /no such file or folder/],
    [
      write("notes.doc", "some words"),
      /begins like no weights, archive, array or picture\nfix: .*MNIST and CIFAR-10 are read by/,
    ],
    [write("evil.pt", goldenBytes("malicious_eval_zip.pt")), /asks for "__builtin__\.eval"[\s\S]*best as safetensors/],
  ];
  for (const [file, says] of cases) {
    const { code, stdout, stderr } = await onestep("inspect", file);
    assert.is.not(code, 0);
    assert.is(stdout, "");
    assert.match(stderr, says);
  }
});

test("names out of a file move no cursor, and links may lead nowhere", async () => {
  const odd = { "\u001b[2J": { dtype: "F32" as const, shape: [1], data: new Float32Array(1) } };
  const { stdout } = await onestep("inspect", write("odd.safetensors", encodeSafetensors(odd)));
  assert.match(stdout, "\\u001b[2J");
  mkdirSync(path("links"));
  symlinkSync(path("nowhere"), path("links/link"));
  assert.match((await onestep("inspect", path("links"))).stdout, /0 folders and 1 files/);
});

test.run();

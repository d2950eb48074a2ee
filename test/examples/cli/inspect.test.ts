import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { encodeSafetensors } from "../../../core/io/mod.ts";
import { goldenBytes } from "../../helpers/golden.ts";
import { npyFile } from "../../helpers/npyFile.ts";
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
  mkdirSync(path("pictures/cats"), { recursive: true });
  const cases: [file: string, says: RegExp[]][] = [
    [
      write("model.bin", goldenBytes("pytorch_model.bin")),
      [/a PyTorch file of 6 tensors, 108 numbers/, /model\.layer0\.weight +F32 +\[6, 5\]/],
    ],
    [write("many.safetensors", encodeSafetensors(many)), [/30 tensors, 60 numbers/, /and 10 more; --all lists them/]],
    [write("s.npz", statistics), [/2 arrays of NumPy/, /--metric fid/]],
    [path("pictures"), [/1 folders and 0 files/, /train pictures/]],
  ];
  for (const [file, says] of cases) {
    const { code, stdout, stderr } = await onestep("inspect", file);
    assert.is(code, 0, stderr);
    for (const each of says) assert.match(stdout, each);
  }
});

test("what can't be told, and what would run a program, is refused", async () => {
  const cases: [file: string, says: RegExp][] = [
    [path("nowhere"), /no such file or folder/],
    [
      write("notes.txt", "some words"),
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

import { decode } from "fast-png";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { EventBus } from "../../../core/train/mod.ts";
import { sampleGrids } from "../../../plugins/observers/sampleGrids.ts";
import { samplePicture } from "../../../plugins/observers/samplePicture.ts";
import { memoryFiles } from "../../helpers/memoryFiles.ts";
import { thrown } from "../../helpers/thrown.ts";

const test = suite("plugins/observers/sampleGrids");

async function draw(shape: number[], options: { count?: number; real?: Float32Array } = {}) {
  const files = memoryFiles();
  const bus = new EventBus();
  sampleGrids({ files, folder: "samples", ...options }).observe(bus);
  const size = shape.reduce((product, each) => product * each, 1);
  const samples = { shape, read: async () => new Float32Array(size).fill(0.5) };
  bus.emit("sample/drawn", { step: 7, role: "teacher", nfe: 35, samples });
  await bus.settled();
  bus.emit("sample/drawn", { step: 9, role: "generator", nfe: 1, samples });
  await bus.settled();
  return new Map([...files.contents].map(([path, bytes]) => [path, decode(bytes)]));
}

test("images: those of the other role beside them, ten in a row under a title, named by role and step", async () => {
  const pictures = await draw([40, 1, 16, 16], { count: 20 });
  assert.equal([...pictures.keys()], ["samples/teacher-7.png", "samples/generator-9.png"]);
  const rows = 2 * (48 + 2) - 2;
  const grid = 10 * (48 + 2) - 2 + 6;
  const sizeOf = (name: string) => [pictures.get(name)!.width, pictures.get(name)!.height];
  assert.equal(sizeOf("samples/teacher-7.png"), [6 + grid, 6 + 21 + rows + 6]);
  assert.equal(sizeOf("samples/generator-9.png"), [6 + 2 * grid, 6 + 21 + rows + 6]);
});

test("points: data, teacher and generator side by side", async () => {
  const pictures = await draw([50, 2], { real: new Float32Array(100) });
  assert.is(pictures.get("samples/teacher-7.png")!.width, 2 * 300);
  assert.is(pictures.get("samples/generator-9.png")!.width, 3 * 300);
});

test("what is neither is refused", () => {
  const sheet = { title: "x", x: new Float32Array(6) };
  assert.is(thrown(() => samplePicture([sheet], [3], 10)).code, "E_SHAPE");
});

test.run();

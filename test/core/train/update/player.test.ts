import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ReferenceBackend } from "../../../../backends/reference/mod.ts";
import type { Average, Optimizer, Role } from "../../../../core/interfaces/mod.ts";
import { float32ToFloat16, type StoredTensor } from "../../../../core/io/mod.ts";
import { type KeptIn, ones, type Scope, uniform, type WeightSources } from "../../../../core/nn/mod.ts";
import { Player } from "../../../../core/train/mod.ts";
import { rejected, thrown } from "../../../helpers/thrown.ts";

const test = suite("core/train/player");

const role = (prefix: string, inherits?: Role<null>["inherits"]): Role<null> => ({
  bind: () => null,
  declare(scope: Scope) {
    scope.at(prefix).parameter("weight", [2], uniform(1));
    scope.at(prefix).parameter("gain", [2], ones);
    scope.parameter("head", [1], uniform(1));
  },
  ...(inherits ? { inherits } : {}),
});
const optimizer = { role: "critic", moments: ["moment1"] } as unknown as Optimizer;
const average: Average = { role: "critic", keep: () => 0.5 };

const player = (
  inherits?: Role<null>["inherits"],
  training: { optimizer?: Optimizer; average?: Average } = { optimizer, average },
) => {
  const memory = new ReferenceBackend().createMemory();
  return { memory, player: new Player("critic", role("body", inherits), memory, training) };
};

test("Player: has states for weights, average and each moment, and only those", () => {
  assert.equal(player().memory.names(), ["critic.weights.0", "critic.average.0", "critic.moment1.0"]);
  assert.equal(player(undefined, {}).memory.names(), ["critic.weights.0"]);
  const frozen: Role<null> = { bind: () => null, declare() {} };
  const memory = new ReferenceBackend().createMemory();
  const { average: none } = new Player("teacher", frozen, memory, { optimizer, average });
  assert.is(none, undefined);
  assert.equal(memory.names(), []);
});

test("owner: samples are drawn with the average where there is one", () => {
  assert.is(player().player.owner("served"), "critic.average");
  assert.is(player(undefined, {}).player.owner("served"), "critic.weights");
});

test("Player: averages have places by label, and two of one label are an error", async () => {
  const memory = new ReferenceBackend().createMemory();
  const labelled = (label?: string): Average => ({ ...average, label });
  const averages = [labelled("slow"), labelled()];
  const made = new Player("critic", role("body"), memory, { averages });
  assert.equal(memory.names(), ["critic.weights.0", "critic.average/slow.0", "critic.average.0"]);
  assert.is(made.average, averages[1]);
  made.initialise(1);
  assert.equal(await made.read("average/slow"), await made.read("weights"));
  assert.throws(
    () => new Player("critic", role("body"), memory, { averages: [labelled(), labelled()] }),
    /^Cannot keep two averages of the critic called ""/,
  );
  assert.is(
    new Player("critic", role("b"), memory, { averages: [labelled("only")] }).owner("served"),
    "critic.weights",
  );
});

test("initialise: takes what it inherits, and its own start for the rest", async () => {
  const { player: critic } = player((name) => (name.startsWith("body.") ? name.slice(5) : undefined));
  critic.initialise(1);
  const own = await critic.read("weights");
  critic.initialise(1, {
    weight: { shape: [2], data: Float32Array.of(7, 8) },
    head: { shape: [1], data: Float32Array.of(9) },
  });
  const weights = await critic.read("weights");
  assert.equal([...weights["body.weight"].data], [7, 8]);
  assert.equal([...weights["body.gain"].data], [1, 1], "the teacher has none");
  assert.equal(weights.head, own.head, "not inherited");
  assert.equal(await critic.read("served"), weights, "the average starts equal");
});

test("initialise: a teacher of another shape is an error with names", () => {
  const { player: critic } = player((name) => name);
  const teacher = { head: { shape: [3], data: new Float32Array(3) } };
  assert.match(thrown(() => critic.initialise(0, teacher)).message, /head is \[3\], expected \[1\]/);
});

test("load: forgets moments, average and updates", async () => {
  const { memory, player: critic } = player();
  critic.initialise(0);
  memory.write("critic.moment1.0", new Float32Array(192).fill(5));
  memory.write("critic.average.0", new Float32Array(192).fill(5));
  critic.updates = 4;
  critic.load(await critic.read("weights"));
  assert.equal(await memory.read("critic.moment1.0"), new Float32Array(192));
  assert.equal(await memory.read("critic.average.0"), await memory.read("critic.weights.0"));
  assert.is(critic.updates, 0);
});

/** Tensors of one type, to be read one at a time. */
const sources = (values: Record<string, number[]>, dtype: "F32" | "F16" = "F32"): WeightSources =>
  Object.fromEntries(
    Object.entries(values).map(([name, numbers]) => {
      const shape = [numbers.length];
      const data = dtype === "F32" ? Float32Array.from(numbers) : float32ToFloat16(numbers);
      const tensor = { dtype, shape, data } as StoredTensor;
      return [name, { dtype, shape, read: () => tensor }];
    }),
  );
const values = { "body.weight": [0.5, -2], "body.gain": [1, 3], head: [0.25] };

test("stream: does what load does, with tensors that are read one at a time", async () => {
  const { memory, player: critic } = player();
  critic.initialise(0);
  memory.write("critic.moment1.0", new Float32Array(192).fill(5));
  critic.updates = 4;
  await critic.stream(sources(values, "F16"), "a file");
  const held = await critic.read("weights");
  assert.equal(
    Object.entries(held).map(([name, { data }]) => [name, [...data]]),
    Object.entries(values),
  );
  assert.equal(await critic.read("served"), held);
  assert.equal(await memory.read("critic.moment1.0"), new Float32Array(192));
  assert.is(critic.updates, 0);
});

test("stream: writes nothing of a file of another network, and names what holds no number", async () => {
  const { player: critic } = player();
  critic.initialise(0);
  const before = await critic.read("weights");
  const { head: _, ...rest } = values;
  const error = await rejected(critic.stream(sources({ ...rest, "body.weight": [1, 2, 3] }), "a file"));
  assert.match(
    error.message,
    /^Cannot load the critic from a file: .*body.weight is \[3\], expected \[2\]; missing head/,
  );
  assert.equal(await critic.read("weights"), before);
  const infinite = { ...values, head: [Number.POSITIVE_INFINITY] };
  assert.is(
    (await rejected(critic.stream(sources(infinite), "a file"))).message,
    "Cannot load the critic from a file: head holds NaN or infinity, should hold finite numbers",
  );
});

test("keptIn: weights that nothing trains or averages can be in halves", async () => {
  const memory = new ReferenceBackend().createMemory();
  const keptIn: KeptIn = (name) => (name.startsWith("body") ? "f16" : "f32");
  const teacher = new Player("teacher", role("body"), memory, { keptIn });
  assert.equal(teacher.layout.storages, ["f16", "f32"]);
  await teacher.stream(sources({ ...values, "body.weight": [1 + 2 ** -13, -2] }), "a file");
  assert.equal([...(await teacher.read("served"))["body.weight"].data], [1, -2]);
  assert.is(new Player("critic", role("body"), memory, { keptIn, average }).layout.storages, undefined);
  assert.is(new Player("critic", role("body"), memory, { keptIn, optimizer }).layout.storages, undefined);
});

test("writeAll: takes back what readAll gave", async () => {
  const { memory, player: critic } = player();
  critic.initialise(3);
  memory.write("critic.moment1.0", new Float32Array(192).fill(2));
  const states = await critic.readAll();
  const { player: other } = player();
  other.writeAll(states);
  assert.equal(await other.readAll(), states);
});

test("writeAll: refuses states that are missing or of another size, and writes none", async () => {
  const { player: critic } = player();
  critic.initialise(3);
  const before = await critic.readAll();
  const error = thrown(() =>
    critic.writeAll({
      "critic.weights.0": new Float32Array(192),
      "critic.moment1.0": new Float32Array(64),
    }),
  );
  assert.is(error.code, "E_CHECKPOINT");
  assert.match(error.message, /missing critic.average.0; critic.moment1.0 has 64 elements, expected 192/);
  const integers = { ...before, "critic.weights.0": new Int32Array(192) };
  assert.match(thrown(() => critic.writeAll(integers)).message, /expected 192 of type f32/);
  assert.equal(await critic.readAll(), before);
});

test("restore: takes back what sources gave, a state at a time; refuses others and writes none", async () => {
  const { player: critic } = player();
  critic.initialise(3);
  const given = await critic.readAll();
  const sources = Object.fromEntries(critic.sources.map((source) => [source.name, source]));
  assert.equal(Object.keys(sources), Object.keys(given));
  const stored = Object.fromEntries(
    Object.entries(sources).map(([name, { length, read }]) => {
      return [name, { length, dtype: "f32" as const, read: async () => read() }];
    }),
  );
  const { player: other } = player();
  await other.restore(stored);
  assert.equal(await other.readAll(), given);
  const before = await critic.readAll();
  const { "critic.average.0": _, ...fewer } = stored;
  const longer = { ...fewer, "critic.weights.0": { ...stored["critic.weights.0"], length: 64 } };
  const error = await critic.restore(longer).catch((reason) => reason);
  assert.is(error.code, "E_CONFIG");
  assert.match(error.message, /missing critic.average.0/);
  assert.match(error.message, /critic.weights.0 has 64 elements, expected 192 of type f32/);
  assert.equal(await critic.readAll(), before);
});

test("stored: the tensors of read, each flat one fetched once", async () => {
  const { player: critic, memory } = player();
  critic.initialise(3);
  let reads = 0;
  const { read } = memory;
  memory.read = (name) => {
    reads++;
    return read.call(memory, name);
  };
  const tensors: [string, unknown][] = [];
  for (const { name, shape, read } of critic.stored("served")) tensors.push([name, { shape, data: await read() }]);
  assert.is(reads, critic.layout.arenas.length);
  assert.equal(Object.fromEntries(tensors), await critic.read("served"));
});

test.run();

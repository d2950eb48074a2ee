import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  BoundParameters,
  frozen,
  initialise,
  isFrozen,
  layoutOf,
  mismatchText,
  normal,
  ones,
  packArenas,
  type Scope,
  uniform,
  unpackArenas,
  zeros,
} from "../../../core/nn/mod.ts";
import { compute } from "../../helpers/compute.ts";
import { moments } from "../../helpers/moments.ts";
import { thrown } from "../../helpers/thrown.ts";

const test = suite("core/nn/parameters");

const small = (scope: Scope) => {
  scope.at("enc").at(0).parameter("weight", [3, 5], uniform(0.5));
  scope.at("enc").at(0).parameter("bias", [3], ones);
  scope.parameter("scale", [], normal(2));
};

test("layoutOf: in the order asked for, each at a multiple of 64 elements", () => {
  const { entries, arenas, count } = layoutOf(small);
  assert.equal(
    entries.map(({ name, shape, arena, offset }) => [name, shape, arena, offset]),
    [
      ["enc.0.weight", [3, 5], 0, 0],
      ["enc.0.bias", [3], 0, 64],
      ["scale", [], 0, 128],
    ],
  );
  assert.equal(arenas, [192]);
  assert.is(count, 19);
});

test("layoutOf: a name asked for twice is one parameter, unless its shapes differ", () => {
  const twice = layoutOf((scope) => {
    small(scope);
    small(scope);
  });
  assert.is(twice.count, 19);
  const error = thrown(() =>
    layoutOf((scope) => {
      scope.parameter("w", [2, 3], zeros);
      scope.parameter("w", [3, 2], zeros);
    }),
  );
  assert.is(error.code, "E_SHAPE");
  assert.match(error.message, /parameter w: it is \[2, 3\] in one place and \[3, 2\] in another/);
});

test("layoutOf: nothing asked for, nothing laid out", () => {
  assert.equal(
    layoutOf(() => {}),
    { entries: [], arenas: [], count: 0 },
  );
});

test("layoutOf: starts another flat tensor before 128 MiB", () => {
  const million = 2 ** 20;
  const { entries, arenas } = layoutOf((scope) => {
    for (const [name, size] of Object.entries({ a: 20, b: 12, c: 1, d: 40, e: 1 }))
      scope.parameter(name, [size, million], zeros);
  });
  assert.equal(
    entries.map(({ name, arena, offset }) => `${name} ${arena} ${offset / million}`),
    // 32 Mi elements fill one exactly; what is larger than that has one to itself.
    ["a 0 0", "b 0 20", "c 1 0", "d 2 0", "e 3 0"],
  );
  assert.equal(
    arenas.map((size) => size / million),
    [32, 1, 40, 1],
  );
});

test("initialise: a parameter's start depends on its name and the seed, not on other layers", () => {
  const alone = layoutOf((scope) => scope.parameter("enc.0.weight", [3, 5], uniform(0.5)));
  const layout = layoutOf((scope) => {
    scope.parameter("new", [7], normal(1));
    small(scope);
  });
  const values = unpackArenas(layout, initialise(layout, 3));
  const expected = unpackArenas(alone, initialise(alone, 3));
  assert.equal(values["enc.0.weight"], expected["enc.0.weight"]);
  const other = unpackArenas(alone, initialise(alone, 4));
  assert.not.equal(other["enc.0.weight"], expected["enc.0.weight"]);
  assert.equal([...values["enc.0.bias"].data], [1, 1, 1]);
});

test("initialise: uniform within its bound, normal with its deviation, gaps zero", () => {
  const layout = layoutOf((scope) => {
    scope.parameter("u", [10_001], uniform(0.25));
    scope.parameter("n", [10_001], normal(3));
  });
  const arenas = initialise(layout, 0);
  const { u, n } = unpackArenas(layout, arenas);
  assert.ok(u.data.every((value) => Math.abs(value) <= 0.25));
  // Five standard errors.
  const spread = moments(u.data);
  assert.ok(Math.abs(spread.mean) < 0.0073 && Math.abs(spread.variance * 48 - 1) < 0.045);
  const bell = moments(n.data);
  assert.ok(Math.abs(bell.mean) < 0.15 && Math.abs(bell.variance / 9 - 1) < 0.071);
  assert.ok(arenas[0].subarray(10_001, 10_048).every((value) => value === 0));
});

test("packArenas: takes back what unpackArenas gave", () => {
  const layout = layoutOf(small);
  const arenas = initialise(layout, 1);
  const named = unpackArenas(layout, arenas);
  assert.equal(packArenas(layout, named), arenas);
  named.scale.data[0] = 99;
  assert.not.equal(arenas[0][128], 99, "named tensors are copies");
});

test("packArenas: lists all that is missing, unexpected and mis-shaped", () => {
  const layout = layoutOf(small);
  const error = thrown(() =>
    packArenas(layout, {
      "enc.0.weight": { shape: [5, 3], data: new Float32Array(15) },
      scale: { shape: [], data: [1] },
      stray: { shape: [1], data: [0] },
    }),
  );
  assert.is(error.code, "E_CHECKPOINT");
  assert.is(
    error.message,
    "Cannot load weights: unexpected stray; enc.0.weight is [5, 3], expected [3, 5]; missing enc.0.bias",
  );
});

test("frozen parameters: flat tensors of their own, not counted, initialised and stored as all", () => {
  const layout = layoutOf((scope) => {
    scope.parameter("a", [3], ones);
    scope.parameter("freqs", [5], frozen(normal(16)));
    scope.parameter("b", [4], ones);
  });
  assert.equal(
    layout.entries.map(({ name, arena, offset }) => `${name} ${arena} ${offset}`),
    ["a 0 0", "freqs 1 0", "b 0 64"],
  );
  assert.equal(
    layout.arenas.map((_, arena) => isFrozen(layout, arena)),
    [false, true],
  );
  assert.is(layout.count, 7);
  const named = unpackArenas(layout, initialise(layout, 1));
  assert.ok(named.freqs.data.some((value) => Math.abs(value) > 1));
  assert.equal(packArenas(layout, named), initialise(layout, 1));
});

test("derived tensors: written with the others, no memory, refused where weights contradict", () => {
  const layout = layoutOf((scope) => {
    scope.parameter("w", [2], ones);
    scope.at("down").derived("filter", [2, 2], () => [0.25, 0.25, 0.25, 0.25]);
  });
  assert.equal([layout.arenas, layout.count], [[64], 2]);
  const named = unpackArenas(layout, initialise(layout, 0));
  assert.equal(Object.keys(named), ["w", "down.filter"]);
  const { w } = named;
  assert.equal(packArenas(layout, named), packArenas(layout, { w }));
  const filter = { shape: [2, 2], data: [0.25, 0.25, 0.25, 0.5] };
  assert.is(
    thrown(() => packArenas(layout, { w, "down.filter": filter })).message,
    "Cannot load weights: down.filter [2, 2] (0.250, 0.250, 0.250, 0.500) is not that of the options, " +
      "[2, 2] (0.250, 0.250, 0.250, 0.250)",
  );
});

test("BoundParameters: views of the flat tensors, by name and shape", async () => {
  const layout = layoutOf(small);
  const [arena] = initialise(layout, 2);
  const bound = new BoundParameters("critic.weights", layout);
  const bias = bound.scope.at("enc.0").parameter("bias", [3], zeros);
  assert.is(bias, bound.tensors[1]);
  const values = await compute({ scale: bound.tensors[2], bias }, {}, { "critic.weights.0": arena });
  assert.equal([...values.bias], [1, 1, 1]);
  assert.is(values.scale[0], arena[128]);
});

test("BoundParameters: refuses what the layout does not have", () => {
  const { scope } = new BoundParameters("critic.weights", layoutOf(small));
  assert.match(
    thrown(() => scope.parameter("scale", [2], zeros)).message,
    /^Cannot bind parameter scale \[2\]: the layout has \[\]$/,
  );
  assert.match(
    thrown(() => scope.parameter("constructor", [2], zeros)).message,
    /^Cannot bind parameter constructor \[2\]: the layout has no such parameter$/,
  );
});

test("layoutOf: a network that no machine can hold is refused before it is traced to its end", () => {
  const began = performance.now();
  const deep = thrown(() =>
    layoutOf((scope) => {
      for (let i = 0; i < 1e9; i++) scope.at(`${i}`).parameter("bias", [2], zeros);
    }),
  );
  assert.is(deep.code, "E_OPTION");
  assert.match(deep.message, /at 100000\.bias \[2\] it has 100001 parameters .*, should have at most 100000 /);
  assert.ok(performance.now() - began < 5000);
  const wide = thrown(() => layoutOf((scope) => void scope.parameter("weight", [1e12, 1e12], zeros)));
  assert.match(wide.message, /at weight \[1000000000000, 1000000000000\] it has 1 parameters of 1\.0e\+24 elements/);
});

test("mismatchText: all of a few names, counts and the first of many", () => {
  const few = ["unexpected a", "missing b"];
  assert.is(mismatchText(few), "unexpected a; missing b");
  const many = [
    ...Array.from({ length: 40 }, (_, i) => `unexpected u${i}`),
    ...Array.from({ length: 6 }, (_, i) => `missing m${i}, did you mean "u${i}"?`),
    "w is [1], expected [2]",
  ];
  assert.is(
    mismatchText(many),
    "47 names do not fit (40 unexpected, 6 missing, 1 of another shape): " +
      "unexpected u0; unexpected u1; unexpected u2; unexpected u3; … (36 more); " +
      'missing m0, did you mean "u0"?; missing m1, did you mean "u1"?; missing m2, did you mean "u2"?; missing m3, did you mean "u3"?; … (2 more); ' +
      "w is [1], expected [2]",
  );
});

test.run();

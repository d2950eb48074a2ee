import { suite } from "uvu";
import * as assert from "uvu/assert";
import { joinVectors, type NodeProcess } from "../../../backends/wasm/threads/node.ts";
import { raceTiles } from "../../../backends/wasm/tileRace.ts";

const test = suite("backends/wasm/tileRace");

/** Milliseconds of a run, by the time since the race began. */
type Speed = (now: number) => number;
/** Code that becomes faster when the engine has optimised it. */
const optimised =
  (cold: number, at: number, hot: number): Speed =>
  (now) =>
    now < at ? cold : hot;

/** A race on a machine with a clock of its own; the tiles give these results. */
async function race(narrow: Speed, wide: Speed, results: [number[], number[]] = [[1], [1]]) {
  let now = 1000;
  const trial = {
    run(isWide: boolean) {
      now += (isWide ? wide : narrow)(now - 1000);
    },
    result: (isWide: boolean) => Int32Array.from(results[Number(isWide)]),
  };
  const clock = { now: () => now, pause: async () => void (now += 1) };
  const { wide: isWide, reason } = await raceTiles(trial, clock);
  return { isWide, reason, took: now - 1000 };
}

test("wide tiles that become almost twice as fast are taken, some milliseconds after they do", async () => {
  const { isWide, reason, took } = await race(optimised(0.1, 3, 0.03), optimised(0.1, 5, 0.016));
  assert.is(isWide, true);
  assert.is(reason, "1.9 × as fast as narrow ones here");
  assert.ok(took < 12, `${took} ms`);
});

test("a flag that has no effect: narrow", async () => {
  const { isWide, reason, took } = await race(optimised(0.1, 3, 0.03), optimised(0.1, 4, 0.043));
  assert.is(isWide, false);
  assert.is(reason, "wide ones are no faster here (0.7 ×)");
  assert.ok(took < 12, `${took} ms`);
});

test("other bits: narrow, however fast", async () => {
  const { isWide, reason } = await race(optimised(0.1, 3, 0.03), optimised(0.1, 3, 0.016), [
    [1, 2],
    [1, 3],
  ]);
  assert.is(isWide, false);
  assert.is(reason, "wide ones give other bits here");
});

test("wide tiles that are optimised long before the narrow ones win nothing by that", async () => {
  const unjoined = await race(optimised(0.1, 100, 0.03), optimised(0.1, 3, 0.043));
  assert.is(unjoined.isWide, false);
  assert.match(unjoined.reason, /0\.7 ×/);
  assert.is((await race(optimised(0.1, 100, 0.03), optimised(0.1, 3, 0.016))).isWide, true);
  const never = await race(() => 0.1, optimised(0.1, 3, 0.016));
  assert.is(never.isWide, false);
  assert.is(never.reason, "the engine did not optimise both kinds in time");
  assert.ok(never.took < 260, `${never.took} ms`);
});

test("an engine that had optimised them before, and one that never does", async () => {
  const before = await race(
    () => 0.03,
    () => 0.016,
  );
  assert.is(before.isWide, true);
  assert.ok(before.took < 70, `${before.took} ms`);
  const never = await race(
    () => 0.1,
    () => 0.09,
  );
  assert.is(never.isWide, false);
  assert.ok(never.took < 70, `${never.took} ms`);
});

test("flags are set for versions of Node that were tested, and only when asked", () => {
  const node = (versions: Partial<NodeProcess["versions"]>, more: Partial<NodeProcess> = {}): NodeProcess => ({
    arch: "x64",
    execArgv: [],
    versions: { node: "24.1.0", v8: "13.6.233", ...versions },
    ...more,
  });
  const answer = (process: NodeProcess, mayAsk = true) => {
    const flags: string[] = [];
    return { refused: joinVectors(process, mayAsk, (flag) => void flags.push(flag)), flags };
  };
  const flag = "--experimental-wasm-revectorize";
  assert.equal(answer(node({})), { refused: undefined, flags: [flag] });
  const refusals: [NodeProcess, RegExp, boolean?][] = [
    [node({}), /opened without \{ wide: true \}/, false],
    [node({ node: "20.19.0", v8: "11.3.244" }), /^Node 20.19.0 has no 256-bit vectors; from Node 24 on/],
    [node({ node: "22.1.0", v8: "12.4.254" }), /from Node 24 on/],
    [node({ node: "40.0.0", v8: "21.1" }), /^Node 40.0.0 was not tested/],
    [node({ deno: "2.9.6", v8: "14.0" }), /^Deno has no 256-bit vectors/],
    [node({ bun: "1.3.0", v8: "13.6" }), /^Bun has/],
    [node({}, { arch: "arm64" }), /this is arm64/],
  ];
  for (const [process, reason, mayAsk] of refusals) {
    const { refused, flags } = answer(process, mayAsk);
    assert.match(refused!, reason);
    assert.equal(flags, []);
  }
  // Whoever starts Node with the flag has decided.
  for (const given of [[flag], ["--experimental_wasm_revectorize"], ["--no-experimental-wasm-revectorize", flag]])
    assert.equal(answer(node({ v8: "21.1" }, { execArgv: given }), false), { refused: undefined, flags: [] });
  for (const no of ["--no-experimental-wasm-revectorize", "--no_experimental-wasm_revectorize", `--no${flag.slice(2)}`])
    assert.equal(answer(node({}, { execArgv: [flag, no, "--expose-gc"] })), {
      refused: `Node was started with ${no}`,
      flags: [],
    });
});

test.run();

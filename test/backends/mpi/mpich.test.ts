// Ranks on MPICH, whose handles are numbers. Run with ONESTEP_RANKS=all only, as the gate does.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { unpackMpich } from "../../helpers/mpich.ts";
import { bundled, hasMpirun, runJob, runRanks } from "../../helpers/mpirun.ts";
import { deno } from "../webgpu/adapter/child.ts";

const test = suite("backends/mpi/mpich");

const mpich = process.env.ONESTEP_RANKS === "all" ? unpackMpich() : undefined;
if (typeof mpich === "string") console.log(`MPICH can't be had here, tests on it are skipped: ${mpich}`);
const found = typeof mpich === "object" ? mpich : undefined;
const ranked = found ? test : test.skip;
test.after(() => found?.remove());

const file = "test/backends/mpi/rankProgram.ts";
// Ranks of MPICH do not yield when they wait: two of them, for two cores.
const ranks = (...words: string[]) =>
  runJob(found!.mpiexec, ["-n", "2", ...words], { env: found!.env, limit: 150_000 });

for (const [runtime, exists] of Object.entries({ Node: true, Deno: deno !== undefined })) {
  (exists ? ranked : test.skip)(`two ranks on ${runtime}: broadcasts, sums in rank order, an orderly end`, async () => {
    const words = runtime === "Deno" ? [deno!, "run", "-A", file] : [process.execPath, await bundled(file)];
    const placed = await ranks(...words, "broadcast");
    assert.is(placed.code, 0, placed.stderr);
    const { bytes, floats, places, transport } = JSON.parse(placed.stdout);
    assert.equal(bytes, [0, 0, 1, 1, 1, 1, 1, 0, 0]);
    assert.equal(floats, new Array(6).fill(0.5));
    assert.equal(places, ["0/2", "1/2"]);
    assert.match(transport, /^MPICH \d/);
    const summed = await ranks(...words, "sums");
    assert.is(summed.code, 0, summed.stderr);
    for (const { length, order, wrong, same, close } of JSON.parse(summed.stdout)) {
      assert.ok(same && close, `${length} numbers, ${order}`);
      if (order === "fixed") assert.equal(wrong, [0, 0, 0], `${length} numbers`);
    }
  });
}

ranked("traps of WebAssembly stay errors, though UCX wants the signal", async () => {
  const { code, stdout, stderr } = await ranks(process.execPath, await bundled(file), "loop");
  assert.is(code, 0, stderr);
  assert.is(JSON.parse(stdout).trap, "RuntimeError");
});

(hasMpirun() ? ranked : test.skip)(
  "mpirun of Open MPI, libmpi of MPICH: refused on every rank, one message",
  async () => {
    const env = { ...found!.env, ONESTEP_LIBMPI: found!.library };
    const { code, stderr } = await runRanks(3, [process.execPath, await bundled(file), "sums"], { env });
    assert.is(code, 1);
    const messages = stderr.split("\n").filter((line) => /^E_\w+:/.test(line));
    assert.is(messages.length, 1, stderr);
    assert.match(
      messages[0],
      /mpirun of Open MPI has started 3 ranks, but \S+libmpich\.so\.12 is MPICH [\d.]+; both should/,
    );
  },
);

test.run();

// Real ranks on this machine, with Open MPI. Half of it is run with ONESTEP_RANKS=all only, as the gate does: see test/README.md.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { bundled, hasMpirun, type Job, type JobEnded, runJob, runRanks } from "../../helpers/mpirun.ts";
import { deno } from "../webgpu/adapter/child.ts";

const test = suite("backends/mpi/mpirun");
const ranked = hasMpirun() ? test : test.skip;
const all = process.env.ONESTEP_RANKS === "all";
const rankedInGate = hasMpirun() && all ? test : test.skip;

const file = "test/backends/mpi/rankProgram.ts";
let bundling: Promise<string> | undefined;
const program = () => (bundling ??= bundled(file));

const ranks = async (count: number, scenario: string, job?: Job) =>
  runRanks(count, [process.execPath, await program(), scenario], job);

// biome-ignore lint/suspicious/noExplicitAny: what a scenario prints
function printed({ code, stdout, stderr }: JobEnded): any {
  assert.is(code, 0, stderr);
  return JSON.parse(stdout);
}

interface Sum {
  readonly length: number;
  readonly order: "fixed" | "library";
  readonly wrong: readonly number[];
  readonly close: boolean;
  readonly same: boolean;
}

function checkSums(sums: readonly Sum[], what: string): void {
  assert.ok(sums.length > 0);
  for (const { length, order, wrong, close, same } of sums) {
    const name = `${what}, ${length} numbers, ${order}`;
    assert.ok(same, `${name}: all ranks have the same bits`);
    assert.ok(close, `${name}: they are the sum`);
    if (order === "fixed") assert.equal(wrong, [0, 0, 0], `${name}: in rank order`);
  }
}

ranked("three ranks: sums in rank order to the bit, whatever the length; the library's are sums too", async () => {
  const sums: Sum[] = printed(await ranks(3, "sums"));
  checkSums(sums, "3 ranks");
  // The test sees orders: the library has others than ours for some lengths.
  assert.ok(sums.some(({ order, wrong }) => order === "library" && wrong[0] > 0));
});

ranked("two ranks over TCP: broadcasts of views, where each is, and an orderly end", async () => {
  // As between hosts. What this transport leaves in threads once broke their end.
  const options = ["--mca", "btl", "tcp,self"];
  const { bytes, floats, places, transport, host } = printed(await ranks(2, "broadcast", { options }));
  assert.equal(bytes, [0, 0, 1, 1, 1, 1, 1, 0, 0]);
  assert.equal(floats, new Array(6).fill(0.5));
  assert.equal(places, ["0/2", "1/2"]);
  assert.match(transport, /^Open MPI v\d+\.\d+\.\d+$/);
  assert.ok(host.length > 0);
});

rankedInGate("two ranks: the event loop lives while one waits, and traps of WebAssembly stay errors", async () => {
  const { ticks, trap } = printed(await ranks(2, "loop"));
  assert.ok(ticks >= 10, `${ticks} ticks in 300 ms`);
  assert.is(trap, "RuntimeError");
});

ranked("a rank that is killed, or ends all, ends the job within ten seconds", async () => {
  const killed = await ranks(2, "killed");
  assert.is.not(killed.code, 0);
  assert.match(killed.stderr, /rank 1 .*signal 9/);
  assert.ok(killed.seconds < 10, `${killed.seconds} s`);
  const aborted = await ranks(2, "aborted");
  assert.is(aborted.code, 7);
  assert.ok(aborted.seconds < 10, `${aborted.seconds} s`);
});

const messages = ({ stderr }: JobEnded) => stderr.split("\n").filter((line) => /^E_\w+:/.test(line));

ranked("no libmpi: refused on every rank, one message", async () => {
  const ended = await ranks(3, "sums", { env: { ONESTEP_LIBMPI: "/nowhere/libmpi.so" } });
  assert.is(ended.code, 1);
  const [message, ...more] = messages(ended);
  assert.equal(more, []);
  assert.match(message, /^E_MPI: Cannot join .*: mpirun of Open MPI has started 3 ranks, but there is no libmpi/);
  assert.match(message, /\/nowhere\/libmpi\.so/);
});

rankedInGate("a library that is no MPI: refused", async () => {
  const ended = await ranks(2, "sums", { env: { ONESTEP_LIBMPI: "libc.so.6" } });
  assert.is(ended.code, 1);
  assert.match(messages(ended).join("\n"), /^E_MPI: .*libc\.so\.6 is no library of Open MPI or MPICH[^\n]*$/);
});

rankedInGate("no koffi: refused on every rank, one message", async () => {
  const folder = mkdtempSync(join(tmpdir(), "onestep-test-"));
  try {
    const outside = await bundled(file, folder);
    const ended = await runRanks(2, [process.execPath, outside, "sums"]);
    assert.is(ended.code, 1);
    assert.equal(messages(ended).length, 1);
    assert.match(messages(ended)[0], /koffi is not installed.*npm install koffi/);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

ranked("a launcher that the library does not know: each rank sees itself alone, and refuses", async () => {
  const env = { OMPI_COMM_WORLD_RANK: "0", OMPI_COMM_WORLD_SIZE: "2" };
  const ended = await runJob(process.execPath, [await program(), "sums"], { env });
  assert.is(ended.code, 1);
  assert.match(messages(ended)[0], /has started 2 ranks, but Open MPI v[\d.]+ sees 1; both should be of one MPI/);
});

const inDeno = hasMpirun() && all && deno ? test : test.skip;
inDeno("three ranks on Deno, through Deno.dlopen", async () => {
  const { stderr, ...ended } = await runRanks(3, [deno!, "run", "-A", file, "sums"]);
  checkSums(printed({ stderr, ...ended }), "3 ranks on Deno");
});

test.run();

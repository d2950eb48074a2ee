// Ranks on two "hosts", network namespaces that are joined by a cable. Run with ONESTEP_RANKS=all only, as the gate does.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { bundled, hasMpirun } from "../../helpers/mpirun.ts";
import { hostsMissing, makeTwoHosts, type TwoHosts } from "../../helpers/twoHosts.ts";

const test = suite("backends/mpi/twoHosts");

const wanted = process.env.ONESTEP_RANKS === "all" && hasMpirun();
const missing = wanted ? hostsMissing() : undefined;
if (missing) console.log(`two hosts can't be made here, tests on them are skipped: ${missing}`);
const between = wanted && !missing ? test : test.skip;

let hosts: TwoHosts;
test.before(() => {
  if (wanted && !missing) hosts = makeTwoHosts({ rate: "1gbit" });
});
test.after(() => hosts?.remove());

const words = async (scenario: string) => [
  process.execPath,
  await bundled("test/backends/mpi/rankProgram.ts"),
  scenario,
];

between("two ranks on each of two hosts: sums in rank order to the bit, over the cable", async () => {
  const before = hosts.sent(1);
  const { code, stdout, stderr } = await hosts.run(2, await words("sums"));
  assert.is(code, 0, stderr);
  for (const { order, wrong, same } of JSON.parse(stdout)) {
    assert.ok(same);
    if (order === "fixed") assert.equal(wrong, [0, 0, 0]);
  }
  assert.ok(hosts.sent(1) - before > 2 ** 20, "data goes over the cable");
});

between("each rank knows its place on its host", async () => {
  const { code, stdout, stderr } = await hosts.run(2, await words("broadcast"));
  assert.is(code, 0, stderr);
  assert.equal(JSON.parse(stdout).places, ["0/2", "1/2", "0/2", "1/2"]);
});

between("a rank that is killed: the job ends within ten seconds, and nothing is left on either host", async () => {
  const { code, stderr, seconds } = await hosts.run(1, await words("killed"));
  assert.is.not(code, 0);
  assert.match(stderr, /rank 1 .*signal 9/);
  assert.ok(seconds < 10, `${seconds} s`);
  assert.equal([hosts.processes(0), hosts.processes(1)], [[], []]);
});

between("a host that is lost: the job ends within ten seconds of it", async () => {
  const job = hosts.run(1, await words("forever"), { limit: 40_000 });
  while (hosts.processes(1).length < 2) await new Promise((resolve) => setTimeout(resolve, 50));
  await new Promise((resolve) => setTimeout(resolve, 1500)); // until the ranks are joined, as a rule
  const lost = performance.now();
  for (const pid of hosts.processes(1)) process.kill(pid, "SIGKILL");
  assert.is.not((await job).code, 0);
  const seconds = (performance.now() - lost) / 1000;
  assert.ok(seconds < 10, `${seconds} s`);
  assert.equal(hosts.processes(0), []);
});

test.run();

import { suite } from "uvu";
import * as assert from "uvu/assert";
import { cgroupLimits, type HostProcess, memoryLeft, processLimits } from "../../../backends/host/limits.ts";

const test = suite("backends/host/limits");
const MIB = 2 ** 20;

/** The limits that these files tell. */
const told = (files: Readonly<Record<string, string>>) => cgroupLimits((path) => files[path]);
/** A process of Linux that sees these files, on a machine of 16 cores and 64 GiB. */
const processOn = (files: Readonly<Record<string, string>>, constrained = 2 ** 64) => {
  const modules: Record<string, unknown> = {
    "node:os": { availableParallelism: () => 16, totalmem: () => 65536 * MIB },
    "node:fs": {
      readFileSync(path: string) {
        if (path in files) return files[path];
        throw new Error("ENOENT");
      },
    },
  };
  return {
    platform: "linux",
    getBuiltinModule: (name: string) => modules[name],
    constrainedMemory: () => constrained,
  } as unknown as HostProcess;
};

const container2 = {
  "/proc/self/cgroup": "0::/\n",
  "/sys/fs/cgroup/cpu.max": "200000 100000\n",
  "/sys/fs/cgroup/memory.max": `${700 * MIB}\n`,
};
const container1 = {
  "/proc/self/cgroup": "5:memory:/docker/ab\n4:cpu,cpuacct:/docker/ab\n1:name=systemd:/docker/ab\n0::/system.slice\n",
  // Of the path outside nothing is seen inside.
  "/sys/fs/cgroup/cpu/cpu.cfs_quota_us": "150000\n",
  "/sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
  "/sys/fs/cgroup/memory/memory.limit_in_bytes": `${700 * MIB}\n`,
};

test("control groups of version 2 and 1", () => {
  assert.equal(told(container2), { processors: 2, memory: 700 * MIB });
  assert.equal(told(container1), { processors: 1.5, memory: 700 * MIB });
});

test("no limit, and no control groups, are no limit", () => {
  assert.equal(told({}), {});
  const files = {
    ...container1,
    "/sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
    "/sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
  };
  assert.equal(told(files), {});
  const open = { ...container2, "/sys/fs/cgroup/cpu.max": "max 100000\n", "/sys/fs/cgroup/memory.max": "max\n" };
  assert.equal(told(open), {});
});

test("a group is held to the limits of those above it", () => {
  const files = {
    "/proc/self/cgroup": "0::/user.slice/mine.scope\n",
    "/sys/fs/cgroup/user.slice/cpu.max": "100000 50000\n",
    "/sys/fs/cgroup/user.slice/memory.max": `${512 * MIB}\n`,
    "/sys/fs/cgroup/user.slice/mine.scope/cpu.max": "400000 100000\n",
    "/sys/fs/cgroup/user.slice/mine.scope/memory.max": `${256 * MIB}\n`,
  };
  assert.equal(told(files), { processors: 2, memory: 256 * MIB });
});

test("a process has what the machine has, or less where a container allows less", () => {
  assert.equal(processLimits(processOn({})), { cores: 16, memory: 65536 * MIB });
  assert.equal(processLimits(processOn({}, 300 * MIB)), { cores: 16, memory: 300 * MIB });
  assert.equal(processLimits(processOn(container2)), { cores: 2, memory: 700 * MIB });
  assert.equal(processLimits(processOn(container1, 0)), { cores: 2, memory: 700 * MIB });
});

test("what a process has taken is left out of what it may take", () => {
  const memoryUsage = { rss: () => 100 * MIB };
  const left = (files: Readonly<Record<string, string>>) =>
    memoryLeft(Object.assign(processOn(files), { memoryUsage }));
  assert.is(left(container2), 600 * MIB);
  assert.is(left({ ...container2, "/sys/fs/cgroup/memory.max": `${50 * MIB}` }), 0);
});

test.run();

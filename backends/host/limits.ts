/** What a process may use of its machine: all of it, or what a container allows. */
export interface Limits {
  /** Threads that can run at the same time. */
  readonly cores: number;
  /** Bytes of memory, undefined where it is not told. */
  readonly memory?: number;
}

/** What is asked of a process. */
export interface HostProcess {
  readonly platform: string;
  getBuiltinModule(name: "node:os"): { availableParallelism(): number; totalmem(): number };
  getBuiltinModule(name: "node:fs"): { readFileSync(path: string, encoding: "utf8"): string };
  constrainedMemory(): number;
  readonly memoryUsage: { rss(): number };
}

/** The limits of this process, under Node, Deno or Bun. */
export function processLimits(process: HostProcess): Limits {
  const os = process.getBuiltinModule("node:os");
  const { processors = Number.POSITIVE_INFINITY, memory } = cgroupLimits(reader(process));
  const cores = permitted(() => os.availableParallelism()) ?? 1;
  // Node's own answer is 0 or beyond every machine where there is no limit.
  const known = [permitted(() => os.totalmem()), permitted(() => process.constrainedMemory()), memory];
  const bytes = known.filter((each): each is number => each !== undefined && each > 0);
  return {
    // As Go and Java do, a part of a processor counts as one.
    cores: Math.max(1, Math.min(cores, Math.ceil(processors))),
    memory: bytes.length > 0 ? Math.min(...bytes) : undefined,
  };
}

/** Bytes that a process may take besides what it and its runtime have taken; undefined where that is not told. */
export function memoryLeft(process: HostProcess): number | undefined {
  const { memory } = processLimits(process);
  return memory && Math.max(memory - (permitted(() => process.memoryUsage.rss()) ?? 0), 0);
}

/** What Linux's control groups allow this process: processors, such as 1.5, and bytes. Absent is what has no limit. */
export interface CgroupLimits {
  readonly processors?: number;
  readonly memory?: number;
}

/**
 * Reads control groups of version 1 and 2, as the files of /proc and /sys tell. A group is held to the limits of those above it
 * as well.
 * @param read the text of a file; undefined where there is none
 */
export function cgroupLimits(read: (path: string) => string | undefined): CgroupLimits {
  const groups = (read("/proc/self/cgroup") ?? "")
    .trim()
    .split("\n")
    .map((line) => line.split(":"));
  const processors: number[] = [];
  const memory: number[] = [];
  const note = (found: number[], value: number) => {
    if (value > 0 && value < UNLIMITED) found.push(value);
  };
  for (const [, controllers = "", ...rest] of groups) {
    const names = controllers.split(",");
    for (const path of upwards(rest.join(":"))) {
      if (controllers === "") {
        const [quota, period = "100000"] = (read(`/sys/fs/cgroup${path}/cpu.max`) ?? "").trim().split(" ");
        note(processors, Number(quota) / Number(period));
        note(memory, Number(read(`/sys/fs/cgroup${path}/memory.max`)));
      }
      if (names.includes("cpu")) {
        const of = (file: string) => Number(read(`/sys/fs/cgroup/cpu${path}/cpu.cfs_${file}_us`));
        note(processors, of("quota") / of("period"));
      }
      if (names.includes("memory")) note(memory, Number(read(`/sys/fs/cgroup/memory${path}/memory.limit_in_bytes`)));
    }
  }
  return {
    ...(processors.length > 0 && { processors: Math.min(...processors) }),
    ...(memory.length > 0 && { memory: Math.min(...memory) }),
  };
}

/** Version 1 writes the largest number of whole pages where there is no limit. */
const UNLIMITED = 2 ** 62;

/**
 * The path of a group and of all above it, up to the root, which is empty. In a container the path may be one of the machine
 * outside, of which only the root can be seen.
 */
function upwards(path: string): string[] {
  const names = path.split("/").filter(Boolean);
  return Array.from({ length: names.length + 1 }, (_, up) =>
    names
      .slice(0, names.length - up)
      .map((name) => `/${name}`)
      .join(""),
  );
}

/** Reads files where that asks nobody: Deno would ask its user for a permission. */
function reader(process: HostProcess): (path: string) => string | undefined {
  const { Deno } = globalThis as { Deno?: { permissions: { querySync(wish: object): { state: string } } } };
  if (process.platform !== "linux") return () => undefined;
  if (Deno && permitted(() => Deno.permissions.querySync({ name: "read" }).state) !== "granted") return () => undefined;
  return (path) => permitted(() => process.getBuiltinModule("node:fs").readFileSync(path, "utf8"));
}

/** What a question is answered; undefined where it is refused, as by Deno without --allow-sys. */
export function permitted<T>(ask: () => T): T | undefined {
  try {
    return ask();
  } catch {
    return undefined;
  }
}

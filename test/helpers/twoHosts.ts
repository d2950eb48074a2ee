/**
 * Two "hosts" on this machine: network namespaces with names of their own, joined by a pair of virtual cables. Nothing else is
 * reached from them, so their addresses, of the range for measurements between devices (RFC 2544), meet no others.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Job, type JobEnded, runJob } from "./mpirun.ts";

const NET = "198.18.77.0/30";
const addresses = ["198.18.77.1", "198.18.77.2"] as const;

/** Signals that would end a program before it has cleaned up. */
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Removes hosts of a program that was killed before it could. */
function removeAbandoned(): void {
  const { stdout } = spawnSync("ip", ["netns", "list"], { encoding: "utf8" });
  for (const [name, pid] of (stdout ?? "").matchAll(/^onestep-(\d+)-[ab]/gm))
    if (!existsSync(`/proc/${pid}`)) spawnSync("ip", ["netns", "delete", name]);
}

/** Namespaces that are joined, until they are removed. */
export interface TwoHosts {
  /** What was done about the cable: `1gbit`, or why it is as fast as memory. */
  readonly rate: string;
  /** Runs a command as `each` ranks on both hosts; rank 0 is on the first. */
  run(each: number, words: readonly string[], job?: Job): Promise<JobEnded>;
  /** Numbers of the processes that are on a host now. */
  processes(host: 0 | 1): number[];
  /** Bytes that a host has sent so far. */
  sent(host: 0 | 1): number;
  /** Ends what is left there, and removes both. */
  remove(): void;
}

/** Why two hosts can't be made here; undefined when they can. */
export function hostsMissing(): string | undefined {
  if (process.platform !== "linux") return `network namespaces are Linux's, this is ${process.platform}`;
  if (process.getuid?.() !== 0) return "only root may make network namespaces";
  const name = `onestep-try-${process.pid}`;
  const made = spawnSync("ip", ["netns", "add", name], { encoding: "utf8" });
  if (made.error) return "the command ip (package iproute2) is not installed";
  if (made.status !== 0) return `ip netns add: ${made.stderr.trim()}`;
  // The name is to be seen in the namespace of host names too.
  const named = spawnSync("ip", ["netns", "exec", name, "unshare", "-u", "hostname", name], { encoding: "utf8" });
  spawnSync("ip", ["netns", "delete", name]);
  return named.status === 0 ? undefined : `unshare -u: ${named.stderr?.trim() || named.error?.message}`;
}

/** Makes them. `rate` is how fast the cable is, in tc's words; as fast as it goes where absent. */
export function makeTwoHosts({ rate }: { readonly rate?: string } = {}): TwoHosts {
  const names = ["a", "b"].map((letter) => `onestep-${process.pid}-${letter}`);
  const cables = ["a", "b"].map((letter) => `os${process.pid}${letter}`.slice(-15));
  const folder = mkdtempSync(join(tmpdir(), "onestep-hosts-"));
  const ip = (...words: string[]) => execFileSync("ip", words, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  const processes = (host: 0 | 1) =>
    spawnSync("ip", ["netns", "pids", names[host]], { encoding: "utf8" })
      .stdout.split("\n")
      .filter(Boolean)
      .map(Number);
  const remove = () => {
    for (const host of [0, 1] as const) {
      for (const pid of processes(host)) {
        try {
          process.kill(pid, "SIGKILL");
        } catch {
          // It has just ended.
        }
      }
      spawnSync("ip", ["netns", "delete", names[host]]); // its end of the cable goes with it, and so does the other
    }
    rmSync(folder, { recursive: true, force: true });
    process.off("exit", remove);
    for (const signal of SIGNALS) process.off(signal, leave);
  };
  const leave = () => process.exit(1);
  process.on("exit", remove);
  for (const signal of SIGNALS) process.on(signal, leave);
  removeAbandoned();
  let slowed = "as fast as memory";
  try {
    for (const name of names) ip("netns", "add", name);
    ip("link", "add", cables[0], "netns", names[0], "type", "veth", "peer", "name", cables[1], "netns", names[1]);
    for (const host of [0, 1]) {
      ip("-n", names[host], "address", "add", `${addresses[host]}/30`, "dev", cables[host]);
      ip("-n", names[host], "link", "set", cables[host], "up");
      ip("-n", names[host], "link", "set", "lo", "up");
    }
    if (rate) slowed = slowDown(names, cables, rate);
  } catch (error) {
    remove();
    throw error;
  }
  // What mpirun calls instead of ssh: a host, and the words of a command for its shell.
  const agent = join(folder, "agent.sh");
  const enter = (name: string) => `exec ip netns exec ${name} unshare -u sh -c 'hostname "$0" && exec "$@"' ${name}`;
  writeFileSync(agent, `#!/bin/sh\nshift\n${enter(names[1])} sh -c "$*"\n`);
  chmodSync(agent, 0o755);
  return {
    rate: slowed,
    processes,
    remove,
    run: (each, words, job = {}) => {
      const hosts = addresses.map((address) => `${address}:${each}`).join();
      const net = [
        "--mca",
        "oob_tcp_if_include",
        NET,
        "--mca",
        "btl_tcp_if_include",
        NET,
        "--mca",
        "btl",
        "tcp,self,vader",
      ];
      const start = ["mpirun", "--host", hosts, "--mca", "plm_rsh_agent", agent, "--mca", "plm", "rsh", ...net];
      const options = ["-n", `${2 * each}`, ...(job.options ?? []), ...words];
      return runJob("sh", ["-c", `${enter(names[0])} "$@"`, "sh", ...start, ...options], job);
    },
    sent: (host) =>
      Number(ip("netns", "exec", names[host], "cat", `/sys/class/net/${cables[host]}/statistics/tx_bytes`)),
  };
}

/** Lets the cable carry so much and no more; says why where the system can't. */
function slowDown(names: readonly string[], cables: readonly string[], rate: string): string {
  for (const [host, name] of names.entries()) {
    const words = [
      "-n",
      name,
      "qdisc",
      "add",
      "dev",
      cables[host],
      "root",
      "tbf",
      "rate",
      rate,
      "burst",
      "256kb",
      "latency",
      "50ms",
    ];
    const { status, stderr, error } = spawnSync("tc", words, { encoding: "utf8" });
    if (status !== 0) return `as fast as memory: tc can't slow it down (${error?.message ?? stderr.trim()})`;
  }
  return rate;
}

import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { type Case, cases } from "./cases.ts";
import { LOSSES } from "./data.ts";
import { EngineProcess, type Launch } from "./engineProcess.ts";
import { installPeers } from "./peers.ts";
import type { PrepareReply, RoundReply, ValuesReply } from "./protocol.ts";
import { failedResult, firstResult, jsonOf, lossFault, type Result, resultOf } from "./results.ts";
import { isOurs, tableHead, tableRows } from "./table.ts";

const HELP = `npm run bench -- [flags]: onestep beside other engines, interleaved, in one run

  --only PATTERN    cases whose name matches, such as "unet" or "matmul (512|1024)"
  --engines A,B     of onestep, onestep/wasm, onestep/webgpu, jax-js, tfjs, pytorch
  --rounds N        turns of each engine in each case; default 5
  --ms N            least time of a turn; default 200
  --threads N       of wasm and PyTorch; default all cores
  --base DIR        an older checkout, with its packages: its engine takes part as "base", beside each device of ours
  --node PATH       another Node: ours takes part on it too, as "onestep@" with its version
  --json FILE       results for programs
`;

const { values: flags } = parseArgs({
  args: process.argv.slice(2),
  options: {
    only: { type: "string", default: "" },
    engines: { type: "string", default: "onestep,jax-js,tfjs,pytorch" },
    rounds: { type: "string", default: "5" },
    ms: { type: "string", default: "200" },
    threads: { type: "string", default: String(availableParallelism()) },
    base: { type: "string" },
    node: { type: "string" },
    json: { type: "string" },
    help: { type: "boolean", default: false },
  },
});

const here = dirname(fileURLToPath(import.meta.url));
const sources = join(process.cwd(), "test/bench");
/** For caches that are to be cold; removed at the end. */
const scratch = mkdtempSync(join(tmpdir(), "onestep-bench-"));
// However it ends: `refuse` ends the process.
process.on("exit", () => rmSync(scratch, { recursive: true, force: true }));

/** An engine on a device, its process, and the case that it is at. */
class Lane {
  readonly engine: string;
  readonly device: string;
  readonly #launch: Launch;
  #process: EngineProcess | undefined;

  constructor(engine: string, device: string, launch: Launch) {
    this.engine = engine;
    this.device = device;
    this.#launch = launch;
  }

  /** Its process; another when the last has crashed. */
  async open(): Promise<EngineProcess> {
    if (!this.#process?.alive) this.#process = await this.startAnother();
    return this.#process;
  }
  startAnother(env: Readonly<Record<string, string>> = {}): Promise<EngineProcess> {
    return EngineProcess.start({ ...this.#launch, env: { ...this.#launch.env, ...env } });
  }
  async close(): Promise<void> {
    await this.#process?.close();
  }
}

function lanes(): Lane[] {
  const { threads } = flags;
  const node = (file: string, device: string, from = { command: process.execPath, bench: here }): Launch => ({
    command: from.command,
    args: [join(from.bench, `engines/${file}.mjs`), device, threads],
    // Lavapipe complains without one.
    env: { XDG_RUNTIME_DIR: process.env.XDG_RUNTIME_DIR ?? scratch },
  });
  const system = "/usr/bin/python3";
  const python: Launch = {
    command: existsSync(system) ? system : "python3",
    args: [join(sources, "engines/pytorch.py"), threads],
    // Without it, OpenMP may start as many threads as it likes.
    env: { OMP_NUM_THREADS: threads },
  };
  const older = flags.base === undefined ? undefined : { command: process.execPath, bench: bundled(flags.base) };
  const other = flags.node === undefined ? undefined : { command: flags.node, bench: here };
  const version = other && versionOf(other.command);
  const ours = (device: string): Lane[] => [
    new Lane("onestep", device, node("onestep", device)),
    ...(other ? [new Lane(`onestep@${version}`, device, node("onestep", device, other))] : []),
    ...(older ? [new Lane("base", device, node("onestep", device, older))] : []),
  ];
  const all = [
    ...ours("wasm"),
    ...ours("webgpu"),
    new Lane("jax-js", "webgpu", node("jaxJs", "webgpu")),
    new Lane("tfjs", "webgpu", node("tfjs", "webgpu")),
    new Lane("pytorch", "cpu", python),
  ];
  const wanted = flags.engines.split(",").map((word) => word.trim());
  // What stands beside ours comes with it.
  const nameOf = (engine: string) => (engine === "base" || isOurs(engine) ? "onestep" : engine);
  const named = (name: string) =>
    all.filter(({ engine, device }) => [nameOf(engine), `${nameOf(engine)}/${device}`].includes(name));
  const unknown = wanted.find((name) => named(name).length === 0);
  if (unknown !== undefined) refuse(`there is no engine "${unknown}"`);
  return all.filter((lane) => wanted.some((name) => named(name).includes(lane)));
}

/** The folder of the bench of another checkout, its engines bundled anew. */
function bundled(checkout: string): string {
  const root = resolve(checkout);
  if (!existsSync(join(root, "test/bench"))) refuse(`--base ${checkout}: there is no checkout of onestep`);
  const made = spawnSync(process.execPath, ["build.mjs", "bench", "--", "--help"], { cwd: root, encoding: "utf8" });
  if (made.status !== 0) refuse(`--base ${checkout}: its bench cannot be bundled: ${made.stderr.trim()}`);
  return join(root, ".test/bench");
}

/** The first part of a Node's version. */
function versionOf(command: string): string {
  const { stdout, error } = spawnSync(command, ["--version"], { encoding: "utf8" });
  const major = /^v(\d+)/.exec(stdout ?? "")?.[1];
  if (major === undefined) refuse(`--node ${command}: ${error?.message ?? "this is no Node"}`);
  return major;
}

function refuse(why: string): never {
  process.stderr.write(`bench: ${why}\n\n${HELP}`);
  process.exit(2);
}

/** Does something in each lane in turn; a lane that fails leaves the case, with the reason. */
async function eachOf<T extends { lane: Lane }>(
  group: readonly T[],
  failed: Map<Lane, string>,
  act: (member: T) => Promise<void>,
): Promise<void> {
  for (const member of group)
    if (!failed.has(member.lane)) {
      try {
        await act(member);
      } catch (error) {
        failed.set(member.lane, String((error as Error).message));
      }
    }
}

/** A case in all lanes: prepared one after the other, then timed in rounds. */
async function measure(what: Case, group: readonly Lane[]): Promise<Result[]> {
  const failed = new Map<Lane, string>();
  const state = group.map((lane) => ({
    lane,
    rounds: [] as RoundReply[],
    prepared: undefined as PrepareReply | undefined,
    fault: undefined as string | undefined,
  }));
  await eachOf(state, failed, async (each) => {
    const engine = await each.lane.open();
    each.prepared = await engine.ask<PrepareReply>({ ask: "prepare", case: what.name });
    if (!what.gated) return;
    const request = { ask: "values", calls: LOSSES.length } as const;
    each.fault = lossFault((await engine.ask<ValuesReply>(request)).values);
  });
  const ms = Number(flags.ms);
  for (let round = 0; round < Number(flags.rounds); round++)
    await eachOf(state, failed, async ({ lane, rounds }) => {
      rounds.push(await (await lane.open()).ask<RoundReply>({ ask: "round", ms }));
    });
  await eachOf(state, failed, async ({ lane }) => {
    await (await lane.open()).ask({ ask: "release" });
  });
  return state.map(({ lane, rounds, prepared, fault }) => {
    const who = { case: what.name, engine: lane.engine, device: lane.device };
    const reason = failed.get(lane);
    if (reason !== undefined) return failedResult(who, reason);
    const { flops = what.flops, note } = prepared!;
    return resultOf(who, rounds, { flops, note, wrong: fault });
  });
}

/** Caches of compiled shaders, one a lane: empty before its cold first step, filled by it for the warm one. */
const caches = new Map<Lane, string>();

async function firstStep(what: Case, group: readonly Lane[]): Promise<Result[]> {
  const results: Result[] = [];
  for (const lane of group) {
    const who = { case: what.name, engine: lane.engine, device: lane.device };
    try {
      if (what.first === "cold" || !caches.has(lane)) {
        caches.set(lane, mkdtempSync(join(scratch, "cache-")));
        if (what.first === "warm") await firstCall(lane);
      }
      const { firstMs, firstCpuMs } = await firstCall(lane);
      results.push(firstResult(who, firstMs, firstCpuMs));
    } catch (error) {
      results.push(failedResult(who, String((error as Error).message)));
    }
  }
  return results;
}

async function firstCall(lane: Lane): Promise<PrepareReply> {
  const cache = caches.get(lane)!;
  const engine = await lane.startAnother({ XDG_CACHE_HOME: cache, MESA_SHADER_CACHE_DIR: cache });
  try {
    return await engine.ask<PrepareReply>({ ask: "prepare", case: "unet step" });
  } finally {
    await engine.close();
  }
}

/** An iteration of distillation in forwards of its network, where both were measured. */
function iterationNotes(results: readonly Result[]): string[] {
  return results
    .filter((result) => result.case === "dmd2 iteration" && result.wallMs)
    .map(({ engine, device, wallMs, cpuMs, note }) => {
      const forward = results.find((r) => r.case === "dmd2 forward" && r.engine === engine && r.device === device);
      const byTime = forward?.wallMs
        ? `; ${(wallMs! / forward.wallMs).toFixed(2)} by wall time, ${(cpuMs! / forward.cpuMs!).toFixed(2)} by CPU time`
        : "";
      return `${engine} ${device}: ${note}${byTime}`;
    });
}

async function main(): Promise<void> {
  const print = (line: string) => void process.stdout.write(`${line}\n`);
  const chosen = cases.filter(({ name }) => new RegExp(flags.only, "i").test(name));
  if (chosen.length === 0)
    refuse(`no case matches "${flags.only}"; there are ${cases.map(({ name }) => name).join(", ")}`);
  const wanted = lanes();
  if (wanted.some(({ engine }) => engine === "jax-js" || engine === "tfjs")) {
    const problem = installPeers(sources, here);
    if (problem) print(`the peers could not be installed: ${problem}`);
  }
  const open: Lane[] = [];
  const [{ model }] = cpus();
  print(`${new Date().toISOString().slice(0, 16)}  ${model}, ${availableParallelism()} cores`);
  for (const lane of wanted) {
    try {
      print(`${(await lane.open()).about}`);
      open.push(lane);
    } catch (error) {
      print(`${lane.engine} on ${lane.device} is left out: ${(error as Error).message}`);
    }
  }
  const results: Result[] = [];
  print(`\n${tableHead()}`);
  try {
    for (const what of chosen) {
      const group = open.filter(({ engine }) => !what.own || engine === "base" || isOurs(engine));
      const found = what.first ? await firstStep(what, group) : await measure(what, group);
      results.push(...found);
      print(tableRows(found).join("\n"));
      if (flags.json) writeFileSync(flags.json, jsonOf(results));
    }
  } finally {
    for (const lane of open) await lane.close();
  }
  print(["", ...iterationNotes(results)].join("\n"));
}

if (flags.help) process.stdout.write(HELP);
else await main();

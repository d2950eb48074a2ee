/**
 * `node build.mjs soak viewers --turns 12 --steps 60`: what the page of runs costs the training beside it. The log has 200,000
 * events already, and three viewers follow the stream. Turns with them and without (the page's process is held) follow one another;
 * counted is the CPU time of the process that trains, and of the page's.
 */
import { execFileSync, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { get } from "node:http";
import { parseArgs } from "node:util";
import { files } from "../../backends/host/files.ts";
import { WasmBackend } from "../../backends/wasm/mod.ts";
import { Run, resolveConfig } from "../../core/train/mod.ts";
import { presets } from "../../examples/cli/presets.ts";
import { loadRegistry } from "../../examples/cli/registry.ts";
import { eventLog } from "../../plugins/observers/mod.ts";
import { scratch } from "../examples/cli/program.ts";
import { writeRun } from "../examples/cli/ui/shownRuns.ts";

/** The most that it may cost. */
const BAR = 0.02;
const VIEWERS = 3;

const { values } = parseArgs({
  options: {
    turns: { type: "string", default: "12" },
    steps: { type: "string", default: "60" },
    program: { type: "string", default: "dist/cli/main.mjs" },
  },
});
const [turns, steps] = [Number(values.turns), Number(values.steps)];
const folder = scratch();
const path = writeRun(folder.path("run"), { done: 66_000, steps: 66_000, dense: true });
const events = files.join(path, "events.jsonl");
const count = readFileSync(events, "utf8").split("\n").length - 1;

// The page, as it was built: `node build.mjs` first.
const child = spawn(process.execPath, [values.program, "ui", path, "--port", "0"], {
  stdio: ["ignore", "pipe", "inherit"],
});
const address = await new Promise<string>((resolve) =>
  child.stdout.once("data", (text) => resolve(String(text).trim())),
);
let received = 0;
const viewer = () =>
  new Promise<void>((resolve) => {
    const request = get(`${address}events`, (response) => {
      resolve();
      response.on("data", (part: Buffer) => {
        received += part.length;
      });
      response.on("error", () => {});
    });
    request.on("error", () => {});
  });

/** CPU time (s) of the page's process, in ticks of which a second has as many as the system says. */
const ticks = Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" }));
const cpuOfPage = (): number => {
  const stat = readFileSync(`/proc/${child.pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / ticks;
};
const cpuOfTraining = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

const preset = await presets.gaussians.config();
const config = {
  ...preset,
  method: {
    ...(preset.method as { use: string }),
    teacher: { ...(preset.method as { teacher?: object }).teacher, steps: 0 },
  },
  train: { ...preset.train, steps: 2 * steps * (turns + 2) },
};
const backend = await WasmBackend.open({ threads: 1 });
const run = await Run.create({ resolved: resolveConfig(config, await loadRegistry()), backend });
eventLog({ files, path: events }).observe(run.bus);
let left = steps;
let reached = () => {};
run.bus.on("step/end", () => {
  if (--left === 0) run.send({ type: "pause" });
});
run.bus.on("control/received", ({ command }) => {
  if (command.type === "pause") reached();
});
/** So many steps more; resolves when they are done. */
const go = (begin: () => void): Promise<void> => {
  left = steps;
  return new Promise((resolve) => {
    reached = resolve;
    begin();
  });
};
const training = { over: Promise.resolve() as Promise<unknown> };
await go(() => {
  training.over = run.start();
});
await Promise.all(Array.from({ length: VIEWERS }, viewer));
await new Promise((resolve) => setTimeout(resolve, 3000));

const shares: { training: number; page: number }[] = [];
for (let turn = 0; turn < turns; turn++) {
  const timed = async (held: boolean) => {
    child.kill(held ? "SIGSTOP" : "SIGCONT");
    const [own, page] = [cpuOfTraining(), cpuOfPage()];
    await go(() => run.send({ type: "resume" }));
    return { own: cpuOfTraining() - own, page: cpuOfPage() - page };
  };
  // Which comes first takes turns too.
  const [first, second] = [await timed(turn % 2 === 0), await timed(turn % 2 === 1)];
  const [without, seen] = turn % 2 === 0 ? [first, second] : [second, first];
  shares.push({ training: seen.own / without.own - 1, page: seen.page / without.own });
}
child.kill("SIGCONT");
run.stop();
await training.over;
await run.dispose();
await backend.close();
child.kill("SIGINT");
const median = (numbers: readonly number[]) => [...numbers].sort((a, b) => a - b)[numbers.length >> 1];
const [trained, page] = [median(shares.map((each) => each.training)), median(shares.map((each) => each.page))];
const percent = (share: number) => `${(100 * share).toFixed(2)} %`;
console.log(`${count} events before, ${VIEWERS} viewers, ${received} bytes sent, ${turns} turns of 2 x ${steps} steps`);
console.log(
  `the process that trains: ${percent(trained)} more CPU time; the page's own process: ${percent(page)} of it`,
);
console.log(`${trained <= BAR ? "held" : "missed"}: at most ${percent(BAR)} of the training`);
folder.remove();
process.exitCode = trained <= BAR ? 0 : 1;

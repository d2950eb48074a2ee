import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { holderOf } from "../../backends/host/claim.ts";
import { files } from "../../backends/host/files.ts";
import { diagnose, formatReport } from "../../backends/webgpu/adapter/doctor.ts";
import { runFolder } from "../../core/train/files/runFolder.ts";
import { checkReport, type ReportPart, writeReport } from "./bugReport.ts";
import type { Given } from "./command.ts";
import { describeBackend, openBackend, openWasm } from "./device.ts";

export async function run(given: Given): Promise<number> {
  const [path] = given.positionals;
  const out = given.text("report");
  if (out === undefined) return path === undefined ? machine() : tell(path, given);
  checkReport(out);
  let [examined, found] = ["", ""];
  // Not the name that the run has here.
  if (path !== undefined) await tell(path, given, (text) => (found += text.replaceAll(path, "RUN")));
  const status = await machine((text) => (examined += text));
  const run = path === undefined ? [] : [{ title: "The run", text: found }, await settingsOf(path)];
  await writeReport(out, [{ title: "The machine", text: examined }, ...run]);
  return status;
}

/** What a run was asked to do. */
async function settingsOf(path: string): Promise<ReportPart> {
  const { config } = runFolder(files, path);
  const text = (await files.exists(config)) ? new TextDecoder().decode(await files.read(config)) : "there is no config";
  return { title: "Its settings", text };
}

type Print = (text: string) => void;
const toStdout: Print = (text) => void process.stdout.write(text);

/** Tells what happened in a run, from its files alone. */
async function tell(path: string, given: Given, print: Print = toStdout): Promise<number> {
  const { readHistory } = await import("./history/readHistory.ts");
  const { historyReport } = await import("./history/report.ts");
  const { missingMonitors, monitorsOf } = await import("./history/health.ts");
  const { GIVE_AGAIN, loadRegistry } = await import("./registry.ts");
  const history = await readHistory(files, path);
  const registry = await loadRegistry(given.all("plugin"));
  const monitors = monitorsOf(history, registry);
  const holder = await holderOf(files.join(path, "run.lock"));
  print(`${historyReport(history, monitors, holder)}\n`);
  for (const name of missingMonitors(history, registry))
    print(`note    the run had a monitor "${name}", which is not registered here; ${GIVE_AGAIN}\n`);
  return 0;
}

/** Set in the process that looks at the devices. */
const INSIDE = "ONESTEP_DOCTOR_INSIDE";

/** Lines that drivers print by themselves, of no use to anyone here. */
const CHATTER = /^Warning: max\w+ artificially reduced from /;

/**
 * Examines the machine in a process of its own: drivers write to its standard error directly, where only another process can
 * hide it, and one that crashes does not take the report with it unsaid.
 */
async function machine(print?: Print): Promise<number> {
  if (process.env[INSIDE]) return examine();
  const child = spawn(process.execPath, [...process.execArgv, process.argv[1], "doctor"], {
    env: { ...process.env, [INSIDE]: "1" },
    stdio: ["ignore", print ? "pipe" : "inherit", "pipe"],
  });
  child.stdout?.setEncoding("utf8").on("data", (text: string) => print?.(text));
  const say = print ?? ((text: string) => void process.stderr.write(text));
  createInterface({ input: child.stderr! }).on("line", (line) => {
    if (!CHATTER.test(line)) say(`${line}\n`);
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => {
      if (signal) say(`a driver ended the examination with ${signal}; try --device wasm\n`);
      resolve(code ?? 1);
    });
  });
}

async function examine(): Promise<number> {
  const report = await diagnose();
  const { uses, tiles } = await wasmUses();
  const [webgpu, ...others] = report.backends;
  process.stdout.write(formatReport({ ...report, backends: [webgpu, { name: "wasm", uses }, ...others] }));
  process.stdout.write(`\nwasm uses ${tiles}\n`);
  const backend = await openBackend();
  process.stdout.write(`--device auto uses ${describeBackend(backend)}\n`);
  await backend.close();
  return 0;
}

/** What the wasm backend runs on here, and which tiles its kernels use and why. */
async function wasmUses(): Promise<{ uses: string; tiles: string }> {
  try {
    const backend = await openWasm();
    await backend.close();
    const { wide, reason } = backend.tiles;
    return {
      uses: describeBackend(backend).replace(/^wasm: /, ""),
      tiles: `${wide ? "wide" : "narrow"} tiles: ${reason}`,
    };
  } catch (error) {
    const nothing = `nothing: ${(error as Error).message}`;
    return { uses: nothing, tiles: nothing };
  }
}

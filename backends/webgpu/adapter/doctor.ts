import { describeSystem, type SystemFacts } from "../../host/system.ts";
import { describeMatrices } from "../subgroupMatrices.ts";
import { adviceFor } from "./advice.ts";
import { type AdapterEntry, listAdapters } from "./open.ts";
import type { DeviceTraits } from "./traits.ts";

/** What `onestep doctor` found out. */
export interface DoctorReport {
  readonly system: SystemFacts;
  /** Packages that devices come from; version undefined when one is missing. */
  readonly packages: readonly { readonly name: string; readonly version?: string }[];
  readonly adapters: readonly AdapterEntry[];
  /** What went wrong where adapters were looked for. */
  readonly problems: readonly string[];
  /** What each backend would run on. */
  readonly backends: readonly { readonly name: string; readonly uses: string }[];
  /** Steps to a faster device on this system; empty when a GPU is in use. */
  readonly advice: readonly string[];
}

/** Examines the machine. Opens every adapter for a moment. */
export async function diagnose(): Promise<DoctorReport> {
  const system = describeSystem();
  const problems = new Set<string>();
  const adapters = await listAdapters((problem) => problems.add(problem));
  const usable = adapters.filter(({ problem }) => problem === undefined);
  const chosen = usable.find(({ traits }) => !traits.software) ?? usable[0];
  return {
    system,
    packages: system.platform === "browser" ? [] : await packages(),
    adapters,
    problems: [...problems],
    backends: [
      { name: "webgpu", uses: chosen ? nameOf(chosen) : "nothing: no adapter works" },
      { name: "reference", uses: "one CPU core, always there; slow, the oracle of the tests" },
    ],
    advice: chosen?.traits.software === false ? [] : adviceFor(system, present(usable)),
  };
}

const present = (usable: readonly AdapterEntry[]) => ({
  installed: usable.some(({ origin }) => origin === "system"),
  fromPackage: usable.some(({ origin }) => origin === "package"),
});

async function packages() {
  const { installedPackage } = await import("./packages.ts");
  return ["webgpu", "@sparticuz/chromium"].map((name) => ({
    name,
    version: installedPackage(name)?.version,
  }));
}

/** The report as text for a terminal. */
export function formatReport(report: DoctorReport): string {
  const { system, packages, adapters, problems, backends, advice } = report;
  const { runtime, distribution, memory, cards } = system;
  const facts = [
    distribution?.title ?? system.platform,
    system.arch,
    `${system.cores} cores`,
    memory === undefined ? "" : `${bytes(memory)} memory`,
    cards.length > 0 ? `graphics card: ${cards.join(", ")}` : "",
  ];
  const installed = packages.map(({ name, version }) => `${name} ${version ?? "missing"}`);
  return [
    row("system", facts.filter(Boolean).join(", ")),
    row("runtime", `${runtime.name} ${runtime.version}`),
    ...(installed.length > 0 ? [row("packages", installed.join(", "))] : []),
    ...section("adapters", adapters.length > 0 ? adapters.flatMap(adapterLines) : ["none"]),
    ...(problems.length > 0 ? section("problems", problems) : []),
    ...section(
      "backends",
      backends.map(({ name, uses }) => row(name, uses)),
    ),
    ...(advice.length > 0
      ? section(
          "for a faster device",
          advice.map((step) => `- ${step}`),
        )
      : []),
    "",
  ].join("\n");
}

function adapterLines(entry: AdapterEntry): string[] {
  const { traits, problem, openMs } = entry;
  const state = problem ? `refused: ${problem}` : `works, opened in ${openMs.toFixed(0)} ms`;
  const { subgroupMinSize: least, subgroupMaxSize: most } = traits;
  const features = [
    `f16 ${traits.f16 ? "yes" : "no"}`,
    `subgroups ${traits.subgroups ? (least === most ? least : `${least}-${most}`) : "no"}`,
    `timestamps ${traits.timestamps ? "yes" : "no"}`,
    `buffers ${bytes(traits.maxBuffer)}`,
    `bindings ${bytes(traits.maxBinding)} x ${traits.maxStorageBuffers}`,
    `workgroups ${traits.maxInvocations}, ${bytes(traits.workgroupMemory)}`,
  ];
  return [
    `${nameOf(entry)}: ${state}`,
    ...(traits.driver ? [`  ${traits.driver}`] : []),
    `  ${features.join(", ")}`,
    `  subgroup matrices: ${matricesOf(traits)}`,
  ];
}

/** Those that work, then why not others: `8x8x8 f32, but 16x16x16 f16→f32: …`. */
function matricesOf({ matrices, matricesProblem: problem }: DeviceTraits): string {
  const found = matrices.map(describeMatrices).join(", ") || "none";
  return problem ? `${found}, ${matrices.length > 0 ? "but " : ""}${problem}` : found;
}

function nameOf({ traits, origin }: AdapterEntry): string {
  const driver = origin === "package" ? "driver from npm" : "installed driver";
  return `${traits.name} (${traits.type}, ${driver}, ${traits.via === "dawn" ? "Dawn" : "navigator.gpu"})`;
}

const row = (label: string, text: string) => `${label.padEnd(10)} ${text}`;

const section = (title: string, lines: readonly string[]) => [title, ...lines.map((line) => `  ${line}`)];

function bytes(count: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  // Limits are often a power of two less one byte: 4294967295 reads 4 GiB.
  const power = Math.min(units.length - 1, Math.floor(Math.log2(count + 1) / 10));
  const value = count / 1024 ** power;
  return `${Number(value.toPrecision(3))} ${units[power]}`;
}

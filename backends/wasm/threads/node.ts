/** The machine as Node and Deno tell it: the only file of the wasm backend that knows their modules. */
import { type HostProcess, memoryLeft, processLimits } from "../../host/limits.ts";
import type { Host } from "./host.ts";

/** What the backend asks of a process. */
export interface NodeProcess {
  getBuiltinModule?(name: string): unknown;
  readonly arch: string;
  readonly execArgv: readonly string[];
  readonly versions: { readonly node: string; readonly v8: string; readonly deno?: string; readonly bun?: string };
}

const processOf = (): NodeProcess | undefined => (globalThis as { process?: NodeProcess }).process;

// Asked for at run time, so that bundles for browsers need no stand-in for these modules.
const builtin = <Module>(name: string): Module | undefined =>
  processOf()?.getBuiltinModule?.(name) as Module | undefined;

const setFlag = (flag: string): void => builtin<typeof import("node:v8")>("node:v8")?.setFlagsFromString(flag);

/** Makes V8 join vectors that come in pairs. */
const JOIN = "--experimental-wasm-revectorize";
/** The flag or its opposite, as V8 reads them; the last one counts. Node takes neither from NODE_OPTIONS. */
const MENTIONS = /^--(no[-_]?)?experimental[-_]wasm[-_]revectorize$/;
/** Versions of V8 that all tests have passed with, joined: those of Node 24 and 26. */
const TESTED = { first: 13, last: 14 };

/** Whether a backend of this process has set the flags. */
let asked = false;

/** `Host.joinVectors` for a process; `set` sets a flag of V8. */
export function joinVectors(
  { arch, execArgv, versions }: NodeProcess,
  mayAsk: boolean,
  set: (flag: string) => void,
): string | undefined {
  const given = execArgv.filter((argument) => MENTIONS.test(argument)).at(-1);
  if (given) return given.startsWith("--no") ? `Node was started with ${given}` : undefined;
  if (versions.deno || versions.bun) return `${versions.deno ? "Deno" : "Bun"} has no 256-bit vectors, Node 24 has`;
  if (arch !== "x64") return `there are 256-bit vectors on x64 only, and this is ${arch}`;
  const major = Number.parseInt(versions.v8, 10);
  if (major < TESTED.first)
    return `Node ${versions.node} has no 256-bit vectors; from Node 24 on, wide ones are faster`;
  if (major > TESTED.last) return `Node ${versions.node} was not tested with wide ones; \`node ${JOIN}\` tries them`;
  if (!mayAsk) return `the backend was opened without { wide: true }, and Node without ${JOIN}`;
  set(JOIN);
  return undefined;
}

/** Linux lists the threads of a process as folders; Deno would ask the user whether they may be looked at. */
function threadTeller(): ((id: number) => boolean) | undefined {
  const fs = builtin<typeof import("node:fs")>("node:fs");
  const process = processOf() as (NodeProcess & { readonly platform: string }) | undefined;
  if (!fs || process?.platform !== "linux" || process.versions.deno) return undefined;
  return (id) => fs.existsSync(`/proc/self/task/${id}`);
}

/** The host, or undefined in a browser. */
export function nodeHost(): Host | undefined {
  const os = builtin<typeof import("node:os")>("node:os");
  if (!os) return undefined;
  const process = processOf() as unknown as HostProcess;
  return {
    processor: os.cpus()[0]?.model.trim() || os.arch(),
    cores: processLimits(process).cores,
    memory: memoryLeft(process),
    mayWait: true,
    hasThread: threadTeller(),
    allowRelaxedSimd() {
      // Node 20 has it, finished, behind a flag.
      try {
        setFlag("--experimental-wasm-relaxed-simd");
      } catch {
        // Deno has no such flag, and needs none.
      }
    },
    joinVectors(mayAsk) {
      const refused = asked ? undefined : joinVectors(processOf()!, mayAsk, setFlag);
      asked ||= mayAsk && refused === undefined;
      return refused;
    },
  };
}

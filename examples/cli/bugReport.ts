/** One file to attach to a report of a fault: what may matter, and nothing that says whose machine it is. */
import { homedir, hostname, tmpdir, userInfo } from "node:os";
import { dirname } from "node:path";
import { files } from "../../backends/host/files.ts";
import { failure } from "../../core/errors.ts";
import { statOf } from "./statOf.ts";
import { version } from "./version.ts";

/** Variables of the environment that change what onestep does or which drivers it finds; no other is read. */
const VARIABLES = [
  ...["ONESTEP_ADAPTER", "ONESTEP_WIDE", "NODE_OPTIONS", "VK_DRIVER_FILES", "VK_ICD_FILENAMES", "VK_LOADER_DEBUG"],
  ...["LIBGL_ALWAYS_SOFTWARE", "GALLIUM_DRIVER", "LP_NUM_THREADS", "MESA_VK_DEVICE_SELECT", "CUDA_VISIBLE_DEVICES"],
  ...["NVIDIA_VISIBLE_DEVICES", "UV_THREADPOOL_SIZE", "CI", "LANG"],
];

/** Variables that hold the name of a person or a machine, or a folder named after one. */
const NAMING = ["USER", "LOGNAME", "USERNAME", "SUDO_USER", "HOSTNAME", "COMPUTERNAME", "USERDOMAIN"];
const HOMES = ["HOME", "USERPROFILE", "APPDATA", "LOCALAPPDATA", "XDG_RUNTIME_DIR"];

/** Names that every other machine has, and that are words of the report. */
const COMMON = new Set(["root", "user", "node", "runner", "admin", "localhost", "debian", "ubuntu", "app", "linux"]);

/** What must not stand in a report. */
export interface Personal {
  /** Folders, which become `~`. */
  readonly folders: readonly string[];
  /** Names of people and machines, which become `NAME`. */
  readonly names: readonly string[];
}

/** Of this machine, by the environment and the system. */
export function personal(env: NodeJS.ProcessEnv = process.env): Personal {
  const told = (names: readonly string[]) => names.flatMap((name) => env[name] || []);
  const user = attempt(() => userInfo().username);
  const host = attempt(() => hostname());
  const home = attempt(() => homedir());
  const names = [...told(NAMING), user, host, host.split(".")[0]];
  return {
    folders: [...told(HOMES), home, process.cwd()].filter((folder) => folder.length > 1 && folder !== tmpdir()),
    names: names.filter((name) => name.length > 1 && !COMMON.has(name.toLowerCase())),
  };
}

const attempt = (ask: () => string): string => {
  try {
    return ask();
  } catch {
    return "";
  }
};

/** Folders of the system, whose files say which driver it was. */
const SYSTEM = /^(\/(usr|lib|lib64|etc|opt|proc|sys|dev|System|Library)\b|[A-Z]:\\(Windows|Program Files)\b)/;
/** A path from the root or the home folder: in quotes up to their end, else up to a space. */
const QUOTED = /"((?:~|[A-Za-z]:)?[\\/][^"\n]*)"/g;
const PATH = /(?<![\w.@)\]-])(?:~|[A-Za-z]:)?[\\/][^\s"'`,;:()[\]{}<>|]+/g;

/** A text without the names and folders, and with no more of a path than what kind of file it names. */
export function withoutNames(text: string, { folders, names }: Personal): string {
  const longestFirst = (list: readonly string[]) => [...new Set(list)].sort((a, b) => b.length - a.length);
  let clean = text;
  for (const folder of longestFirst(folders)) clean = clean.replaceAll(folder, "~");
  clean = clean.replace(QUOTED, (_, path: string) => `"${withoutFolders(path)}"`).replace(PATH, withoutFolders);
  for (const name of longestFirst(names))
    clean = clean.replace(new RegExp(`(?<![\\p{L}\\p{N}])${escaped(name)}(?![\\p{L}\\p{N}])`, "giu"), "NAME");
  return clean;
}

function withoutFolders(path: string): string {
  const inPackage = path.replaceAll("\\", "/").lastIndexOf("/node_modules/");
  if (inPackage >= 0) return `…${path.slice(inPackage).replaceAll("\\", "/")}`;
  if (SYSTEM.test(path)) return path;
  return `PATH${path.match(/\.[A-Za-z0-9]{1,12}$/)?.[0] ?? ""}`;
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

/** A part of the report. */
export interface ReportPart {
  readonly title: string;
  readonly text: string;
}

/** @throws E_FILE where the file can't be written, asked before anything is examined */
export function checkReport(path: string): void {
  const refuse = (why: string, fix: string) => failure("E_FILE", `Cannot write ${path}: ${why}`, { fix });
  if (statOf(path)) throw refuse("it is there already", "choose another name");
  if (!statOf(dirname(path))?.isDirectory()) throw refuse("there is no such folder", "make it, or choose another name");
}

/** Writes the parts, and what the environment says, to a file; tells what to do with it. */
export async function writeReport(path: string, parts: readonly ReportPart[]): Promise<void> {
  const set = VARIABLES.flatMap((name) => (process.env[name] === undefined ? [] : [`${name}=${process.env[name]}`]));
  const all = [...parts, { title: "Environment", text: set.join("\n") || "none of the variables that matter is set" }];
  const sections = all.flatMap(({ title, text }) => ["", `## ${title}`, "", "```text", text.trimEnd(), "```"]);
  const head = [`# A report of onestep ${version()}`, "", "What happened, and what should have happened:", ""];
  const report = withoutNames([...head, ...sections, ""].join("\n"), personal());
  await files.write(path, new TextEncoder().encode(report));
  process.stderr.write(
    `${path}: attach it to your report, and read it before; it should name no person, machine or file\n`,
  );
}

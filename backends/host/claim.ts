import { randomUUID } from "node:crypto";
import { readFileSync, rmSync } from "node:fs";
import { open, readFile, readlink, rm, stat, utimes } from "node:fs/promises";
import { hostname } from "node:os";
import { setInterval } from "node:timers";
import { failure } from "../../core/errors.ts";
import type { Claim } from "../../core/io/files.ts";

/** Who holds a claim, as the file says it. What a system does not tell is empty. */
interface Owner {
  readonly id: string;
  readonly pid: number;
  readonly host: string;
  /** When it was taken, for people. */
  readonly since: string;
  /** Of the machine; another one after each start of it. */
  readonly boot: string;
  /** The set of processes that see each other's numbers; a container has its own. */
  readonly namespace: string;
  /** When the process began, in ticks since the machine did: numbers of processes are given again. */
  readonly ticks: string;
}

/** Signs of life are this far apart (ms). */
const SIGN_OF_LIFE = 20_000;
/** Where a process can't be asked for, its claim is void after this time (ms) without one. A step of training may take minutes. */
const SILENCE = 5 * 60_000;
/** A file without an owner is being written (ms), or its writer was killed. */
const WRITING = 1000;

/** A claim takes less (bytes). */
const LARGEST = 65_536;

/** Who replaces a stale claim needs milliseconds; after this time (ms) it was killed meanwhile. */
const ABANDONED = 10_000;
/** Attempts to replace a stale claim. */
const MOST_TRIES = 1000;

/** Claims that this process holds, and where. */
const held = new Map<string, string>();
let watchesEnd = false;

/** A process that ends while it holds claims lets go of them: on another machine nobody can see that it has ended. */
function releaseAtEnd(): void {
  if (watchesEnd) return;
  watchesEnd = true;
  process.once("exit", () => {
    for (const [id, path] of held) {
      try {
        if (ownerIn(readFileSync(path, "utf8"))?.id === id) rmSync(path, { force: true });
      } catch {
        // It is gone, or can't be reached any more.
      }
    }
  });
}

/** Takes `path` as the sign that this process alone works there; see `FileSystem.claim`. */
export async function claim(path: string): Promise<Claim> {
  const owner = await describeSelf();
  // Before the file is there, for others in this process who find it.
  held.set(owner.id, path);
  releaseAtEnd();
  try {
    await take(path, owner);
  } catch (error) {
    held.delete(owner.id);
    throw error;
  }
  const timer = setInterval(() => void utimes(path, new Date(), new Date()).catch(() => {}), SIGN_OF_LIFE);
  timer.unref();
  return {
    async confirm() {
      const found = await ownerOf(path);
      if (found === "gone") await create(path, owner);
      else if (found?.id !== owner.id) throw await taken(path, found);
    },
    async release() {
      if (!held.delete(owner.id)) return;
      clearInterval(timer);
      const found = await ownerOf(path);
      if (found !== "gone" && found?.id === owner.id) await rm(path, { force: true });
    },
  };
}

/** Who is at work under a claim, in words; undefined where nobody is. Takes nothing. */
export async function holderOf(path: string): Promise<string | undefined> {
  const owner = await ownerOf(path);
  if (!owner || owner === "gone" || !(await isAlive(owner, path))) return undefined;
  const { host } = await describeSelf();
  return `process ${owner.pid}${owner.host === host ? "" : ` on ${owner.host}`} since ${owner.since}`;
}

async function take(path: string, owner: Owner): Promise<void> {
  for (let tries = 0; !(await create(path, owner)); tries++) {
    const found = await ownerOf(path);
    if (found === "gone") continue;
    if (found && ((await isAlive(found, path)) || tries > MOST_TRIES)) throw await taken(path, found);
    if (await takeOver(path, owner, found?.id)) return;
  }
}

/** False where there is a file already. */
async function create(path: string, owner: Owner): Promise<boolean> {
  try {
    const file = await open(path, "wx");
    await file.writeFile(`${JSON.stringify(owner)}\n`).finally(() => file.close());
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

/** The owner that a claim's text names; undefined where it names none. */
export function ownerIn(text: string): Owner | undefined {
  let found: Partial<Record<keyof Owner, unknown>> | null;
  try {
    found = JSON.parse(text);
  } catch {
    return undefined;
  }
  const pid = found?.pid;
  const isProcess = Number.isInteger(pid) && (pid as number) > 0 && (pid as number) < 2 ** 31;
  const words = ["id", "host", "since", "boot", "namespace", "ticks"] as const;
  return isProcess && words.every((key) => typeof found?.[key] === "string") ? (found as unknown as Owner) : undefined;
}

/** Who holds a claim; undefined where the file does not say so even after a while. */
async function ownerOf(path: string): Promise<Owner | undefined | "gone"> {
  for (const began = performance.now(); performance.now() - began < WRITING; ) {
    try {
      const found = await stat(path);
      // To read a pipe is to wait for its other end.
      if (!found.isFile()) throw failure("E_FILE", `Cannot claim ${path}: it is no plain file, one should be there`);
      const owner = found.size <= LARGEST ? ownerIn(await readFile(path, "utf8")) : undefined;
      if (owner) return owner;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return "gone";
      throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return undefined;
}

async function isAlive(owner: Owner, path: string): Promise<boolean> {
  if (held.has(owner.id)) return true;
  const self = await describeSelf();
  const same = (key: "boot" | "namespace") => owner[key] === self[key];
  // The machine has been started anew.
  if (owner.host === self.host && owner.boot && !same("boot")) return false;
  if (owner.host !== self.host || !same("namespace")) return (await silenceOf(path)) < SILENCE;
  if (owner.pid === self.pid) return false;
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    // EPERM: there is such a process, of another user.
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
  }
  return !owner.ticks || owner.ticks === (await ticksOf(owner.pid));
}

/** Milliseconds since the last sign of life. */
const silenceOf = async (path: string): Promise<number> =>
  stat(path).then(
    ({ mtimeMs }) => Date.now() - mtimeMs,
    () => Number.POSITIVE_INFINITY,
  );

/** Puts ours in the place of a stale claim; false when another process is at it, or was faster. */
async function takeOver(path: string, owner: Owner, stale: string | undefined): Promise<boolean> {
  // Of those who have found the same stale claim, one at a time removes it: otherwise a slow one could remove a fast one's own.
  const guard = `${path}.0-0.tmp`;
  if (!(await create(guard, owner))) {
    if ((await silenceOf(guard)) > ABANDONED) await rm(guard, { force: true });
    await new Promise((resolve) => setTimeout(resolve, 20));
    return false;
  }
  try {
    const found = await ownerOf(path);
    if (found === "gone" || found?.id !== stale) return false;
    await rm(path, { force: true });
    return await create(path, owner);
  } finally {
    await rm(guard, { force: true });
  }
}

async function taken(path: string, owner: Owner | undefined) {
  const { host } = await describeSelf();
  const who = owner ? `process ${owner.pid}${owner.host === host ? "" : ` on ${owner.host}`}` : "another process";
  const since = owner ? `has been at work there since ${owner.since}` : "is at work there";
  const far = owner && owner.host !== host;
  const silence = far ? `, and gave a sign of life ${Math.round((await silenceOf(path)) / 1000)} s ago` : "";
  return failure("E_RUN_EXISTS", `Cannot claim ${path}: ${who} ${since}${silence}; one at a time should be`, {
    fix: far
      ? `wait until it ends, or choose another --out; ${SILENCE / 60_000} minutes after its last sign of life it is taken over`
      : "wait until it ends, stop it, or choose another --out",
  });
}

async function describeSelf(): Promise<Owner> {
  return {
    id: randomUUID(),
    pid: process.pid,
    host: hostname(),
    since: new Date().toISOString(),
    boot: await readFile("/proc/sys/kernel/random/boot_id", "utf8").then(
      (text) => text.trim(),
      () => "",
    ),
    namespace: await readlink("/proc/self/ns/pid").catch(() => ""),
    ticks: await ticksOf("self"),
  };
}

/** Field 22 of /proc/<pid>/stat; the second one, a name in parentheses, may hold anything. */
const ticksOf = (pid: number | "self"): Promise<string> =>
  readFile(`/proc/${pid}/stat`, "utf8").then(
    (text) => text.slice(text.lastIndexOf(")") + 2).split(" ")[19] ?? "",
    () => "",
  );

import type { Claim, FileSystem } from "../../core/io/mod.ts";
import type { MemoryFiles } from "./memoryFiles.ts";

/** What a killed process was doing: its last operation is half done, or done without its knowing. */
export type Death = "half" | "after";

/** A file system whose process dies at one of its operations that change something. */
export interface DyingFiles extends FileSystem {
  /** Operations so far that change something, the fatal one included. */
  readonly operations: string[];
}

/** Dies at operation number `fatal`, counted from 1; from then on nothing works, and nothing is changed any more. */
export function dyingFiles(files: MemoryFiles, fatal = Number.POSITIVE_INFINITY, death: Death = "after"): DyingFiles {
  const operations: string[] = [];
  const alive = () => {
    if (operations.length >= fatal) throw new Error("killed");
  };
  const change = async (name: string, half: () => Promise<unknown>, whole: () => Promise<unknown>) => {
    alive();
    operations.push(name);
    const last = operations.length === fatal;
    await (last && death === "half" ? half() : whole());
    if (last) throw new Error("killed");
  };
  const look =
    <A extends unknown[], R>(ask: (...given: A) => Promise<R>) =>
    async (...given: A): Promise<R> => {
      alive();
      return ask(...given);
    };
  const nothing = async () => {};
  return {
    operations,
    read: look(files.read),
    readRange: look(files.readRange),
    size: look(files.size),
    exists: look(files.exists),
    list: look(files.list),
    join: files.join,
    write: (path, content) => {
      const draft = () => files.write(`${path}.7-0123abcd.tmp`, Uint8Array.of(1, 2, 3));
      return change(`write ${path}`, draft, () => files.write(path, content));
    },
    append: (path, content) =>
      change(
        `append ${path}`,
        () => files.append(path, content.slice(0, content.length / 2)),
        () => files.append(path, content),
      ),
    truncate: (path, bytes) => change(`truncate ${path}`, nothing, () => files.truncate(path, bytes)),
    makeDir: async (path) => {
      if (!(await look(files.exists)(path))) await change(`make ${path}`, nothing, () => files.makeDir(path));
    },
    remove: async (path) => {
      if (await look(files.exists)(path)) await change(`remove ${path}`, nothing, () => files.remove(path));
    },
    claim: async (path) => {
      let claim: Claim | undefined;
      await change(`claim ${path}`, nothing, async () => void (claim = await files.claim!(path)));
      return {
        confirm: look(claim!.confirm),
        // A process that has ended can't give back anything.
        release: () => change(`release ${path}`, nothing, () => claim!.release()).catch(() => {}),
      };
    },
  };
}

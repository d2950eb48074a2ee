import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A folder in memory, where a system has one. */
const MEMORY = "/dev/shm";
let made: string | undefined;

/** A folder that goes when the program ends. */
export function memoryFolder(): string {
  if (!made) {
    made = mkdtempSync(join(existsSync(MEMORY) ? MEMORY : tmpdir(), "onestep-fuzz-"));
    const path = made;
    process.on("exit", () => rmSync(path, { recursive: true, force: true }));
  }
  return made;
}

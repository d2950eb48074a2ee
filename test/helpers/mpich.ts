/** MPICH beside Open MPI: Debian's packages, unpacked into a folder, so that nothing of the system changes. */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** An MPICH that can be run. */
export interface Mpich {
  readonly mpiexec: string;
  /** Its libmpi. */
  readonly library: string;
  /** Where its libraries are, for the system's loader. */
  readonly env: { readonly LD_LIBRARY_PATH: string };
  remove(): void;
}

/** Downloads and unpacks it, with the libraries that it needs; or says why it can't be had. */
export function unpackMpich(): Mpich | string {
  const folder = mkdtempSync(join(tmpdir(), "onestep-mpich-"));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  try {
    const run = (command: string, ...words: string[]) =>
      execFileSync(command, words, { cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
    const needed = run("apt-cache", "depends", "mpich", "libmpich12").matchAll(/ Depends: ([\w.+-]+)/g);
    const libraries = [...needed].map(([, name]) => name).filter((name) => /^lib(?!c6$|gcc|stdc)/.test(name));
    run("apt-get", "download", "-qq", ...new Set(["mpich", "libmpich12", ...libraries]));
    const root = join(folder, "root");
    mkdirSync(root);
    for (const file of readdirSync(folder).filter((name) => name.endsWith(".deb"))) run("dpkg-deb", "-x", file, root);
    const home = readdirSync(join(root, "usr/lib")).map((name) => join(root, "usr/lib", name));
    const lib = home.find((path) => existsSync(join(path, "libmpich.so.12")));
    if (!lib) throw new Error("the packages hold no libmpich.so.12");
    const mpiexec = join(root, "usr/bin/mpiexec.hydra");
    const env = { LD_LIBRARY_PATH: lib };
    const tried = spawnSync(mpiexec, ["-n", "1", "true"], { env: { ...process.env, ...env }, encoding: "utf8" });
    if (tried.status !== 0) throw new Error(`mpiexec does not run: ${tried.stderr}`);
    return { mpiexec, library: join(lib, "libmpich.so.12"), env, remove };
  } catch (error) {
    remove();
    return (error as Error).message.split("\n")[0];
  }
}

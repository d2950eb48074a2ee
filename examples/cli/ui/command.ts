import { files } from "../../../backends/host/files.ts";
import { onInterrupt } from "../../../backends/host/interrupt.ts";
import { failure } from "../../../core/errors.ts";
import { runFolder } from "../../../core/train/files/runFolder.ts";
import type { Command } from "../../../core/train/mod.ts";
import type { Given } from "../command.ts";
import { errorText } from "../exitStatus.ts";
import { version } from "../version.ts";
import { INSIDE, type Outward } from "./beside.ts";
import { liveView } from "./liveView.ts";
import { openOn } from "./port.ts";
import { RunWatch } from "./runWatch.ts";

/** Runs on one page at most. */
const MOST = 24;

export async function run(given: Given): Promise<number> {
  const { positionals } = given;
  if (process.env[INSIDE] && process.send) return inside(positionals[0], given.text("port"));
  const paths = (await Promise.all(positionals.map(runsAt))).flat();
  if (paths.length > MOST)
    throw failure("E_USAGE", `Cannot show ${paths.length} runs: a page has room for ${MOST}`, {
      fix: "give the folders of those to look at",
    });
  const watches = await Promise.all([...new Set(paths)].map((path) => RunWatch.open(files, path)));
  const { address, close } = await openOn(given.text("port"), (place) =>
    liveView({ ...place, watches, version: version() }),
  );
  process.stdout.write(`${address}\n`);
  process.stderr.write("open this address in a browser on this machine; Ctrl-C ends the page, and no run\n");
  await new Promise<void>((resolve) => {
    const end = onInterrupt(() => {
      end();
      resolve();
    });
  });
  await close();
  return 0;
}

/** The folder itself, or where it holds no run, the runs in it. */
async function runsAt(path: string): Promise<string[]> {
  if (!(await files.exists(path)) || (await runFolder(files, path).holdsRun())) return [path];
  const names = await files.list(path);
  const within = await Promise.all(
    names.map(async (name) => {
      const inner = files.join(path, name);
      const isRun = await runFolder(files, inner)
        .holdsRun()
        .catch(() => false);
      return isRun ? [inner] : [];
    }),
  );
  return within.some((each) => each.length > 0) ? within.flat() : [path];
}

/** Beside a program that trains: it is told what the page asks for, and when it ends, so does this. */
async function inside(path: string, port: string | undefined): Promise<number> {
  const tell = (message: Outward) => process.send?.(message);
  // A Ctrl-C is for the program that trains.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {});
  const ended = new Promise<void>((resolve) => process.once("disconnect", resolve));
  const watches = [new RunWatch(files, path)];
  const command = (command: Command) => void tell({ command });
  try {
    const { address, close } = await openOn(port, (place) =>
      liveView({ ...place, watches, version: version(), command }),
    );
    tell({ address });
    await ended;
    await close();
  } catch (error) {
    const { code, message, fix } = error as Error & { code?: string; fix?: string };
    tell({ refused: { code, message: code ? message : errorText(error), fix } });
    process.disconnect?.();
    return 1;
  }
  return 0;
}

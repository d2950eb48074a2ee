import process from "node:process";
import type { KoffiFunc } from "koffi";
import { failure } from "../../core/errors.ts";
import { type Argument, type FunctionName, functions, type Kind, type Load } from "./functions.ts";

/**
 * Bytes of stack for a call on another thread. Koffi's own 128 KiB are too few: MPICH 4.0 with UCX overruns them in its first
 * all-reduce, and the process dies.
 */
const STACK = 4 * 2 ** 20;

type Callable = KoffiFunc<(...values: Argument[]) => number>;

const types: Record<Kind, string> = { int: "int", word: "intptr_t", array: "void *" };

/** RTLD_NOW and RTLD_GLOBAL, as systems number them. */
const FLAGS: Partial<Record<NodeJS.Platform, number>> = { linux: 0x102, darwin: 0xa };

/**
 * Opens a library once more, for good. Koffi closes its libraries when the process ends, but its threads end later, and what MPI has
 * left in them for their end (the TCP transport of Open MPI does) would be called in memory that is gone.
 */
function keepLoaded(koffi: typeof import("koffi").default, name: string): void {
  const flags = FLAGS[process.platform];
  if (flags !== undefined) koffi.load(null).func("dlopen", "void *", ["str", "int"])(name, flags);
}

/** Node's door to a C library: the package koffi, which is an optional one. */
export async function koffiLoad(): Promise<Load> {
  const { default: koffi } = await import("koffi").catch((cause: unknown) => {
    const what = "the package koffi is not installed, it should be there to load libmpi";
    throw failure("E_MPI", `Cannot join the other ranks: ${what}`, { cause, fix: "npm install koffi, on every host" });
  });
  koffi.config({ ...koffi.config(), async_stack_size: STACK });
  return (name, visibility) => {
    if (visibility === "global") keepLoaded(koffi, name);
    const library = koffi.load(name, { global: visibility === "global" });
    const made = new Map<FunctionName, Callable>();
    const get = (name: FunctionName) => {
      let found = made.get(name);
      if (!found) {
        const kinds = functions[name].map((kind) => types[kind]);
        found = library.func(name, "int", kinds) as Callable;
        made.set(name, found);
      }
      return found;
    };
    return {
      call: (name, ...values) => get(name)(...values),
      begin: (name: FunctionName, ...values: Argument[]) =>
        new Promise((resolve, reject) => {
          get(name).async(...values, (error: unknown, result: number) => (error ? reject(error) : resolve(result)));
        }),
      addressOf: (symbol) => koffi.address(library.symbol(symbol)),
      unload: () => library.unload(),
    };
  };
}

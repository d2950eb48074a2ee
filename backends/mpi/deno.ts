import { type FunctionName, functions, type Kind, type Load } from "./functions.ts";

type Pointer = object | null;
type Parameter = "i32" | "isize" | "buffer" | "pointer";
interface Definition {
  readonly name?: string;
  readonly parameters: readonly Parameter[];
  readonly result: "i32" | "pointer";
  readonly nonblocking?: boolean;
}
interface Opened {
  readonly symbols: Record<string, (...values: unknown[]) => unknown>;
  close(): void;
}

/** The part of Deno used here; its own types would clash with Node's. */
declare const Deno: {
  readonly build: { readonly os: string };
  dlopen(path: string, symbols: Record<string, Definition>): Opened;
  readonly UnsafePointer: { value(pointer: Pointer): bigint | number };
  readonly UnsafePointerView: { getCString(pointer: Pointer): string };
};

export const isDeno = (): boolean => "Deno" in globalThis;

const types: Record<Kind, Parameter> = { int: "i32", word: "isize", array: "buffer" };

/** What is opened: every function twice, under its name to wait for and with ` begun` behind it for another thread. */
const definitions: Record<string, Definition> = Object.fromEntries(
  Object.entries(functions).flatMap(([name, kinds]) => {
    const parameters = kinds.map((kind: Kind) => types[kind]);
    return [
      [name, { parameters, result: "i32" as const }],
      [begun(name), { name, parameters, result: "i32" as const, nonblocking: true }],
    ];
  }),
);

function begun(name: string): string {
  return `${name} begun`;
}

/** RTLD_NOW, and RTLD_GLOBAL or RTLD_LOCAL, as Linux and macOS number them. */
const flags = { linux: { local: 2, global: 0x102 }, darwin: { local: 6, global: 0xa } } as const;

/** Deno's door to a C library, `Deno.dlopen`. It needs the permission `--allow-ffi`. */
export const denoLoad: Load = (name, visibility) => {
  const mac = Deno.build.os === "darwin";
  // Deno's own dlopen neither makes a library visible to others nor tells the address of a variable; the system's does.
  const { symbols: system } = Deno.dlopen(mac ? "libSystem.B.dylib" : "libc.so.6", {
    dlopen: { parameters: ["buffer", "i32"], result: "pointer" },
    dlsym: { parameters: ["pointer", "buffer"], result: "pointer" },
    dlclose: { parameters: ["pointer"], result: "i32" },
    dlerror: { parameters: [], result: "pointer" },
  });
  const handle = system.dlopen(cString(name), flags[mac ? "darwin" : "linux"][visibility]) as Pointer;
  if (handle === null) {
    const why = system.dlerror() as Pointer;
    throw new Error(why ? Deno.UnsafePointerView.getCString(why) : `${name} can't be loaded`);
  }
  const opened = Deno.dlopen(name, definitions);
  const { symbols } = opened;
  return {
    call: (name: FunctionName, ...values) => symbols[name](...values) as number,
    begin: (name: FunctionName, ...values) => symbols[begun(name)](...values) as Promise<number>,
    addressOf: (symbol) => BigInt(Deno.UnsafePointer.value(system.dlsym(handle, cString(symbol)) as Pointer)),
    unload() {
      opened.close();
      system.dlclose(handle);
    },
  };
};

const cString = (text: string): Uint8Array => new TextEncoder().encode(`${text}\0`);

/** A decoder that was compiled to WebAssembly by Emscripten. */
export interface Codec {
  /** The binary, as base64. */
  readonly wasm: string;
  /** Emscripten's JavaScript around it: makes an instance out of its options. Uses nothing from outside itself. */
  readonly glue: (options: object) => Promise<Instance>;
}

interface Instance {
  readonly decode: (bytes: Uint8Array, ...more: unknown[]) => Rgba | null | undefined;
  /** All of its memory. */
  readonly HEAPU8: Uint8Array;
}

/** Pixels as the decoders give them. */
export interface Rgba {
  readonly data: Uint8ClampedArray | Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** What stands for the `ImageData` of browsers, in which decoders put what they have decoded. */
class Pixels implements Rgba {
  readonly data: Uint8ClampedArray;
  readonly width: number;
  readonly height: number;

  constructor(data: Uint8ClampedArray, width: number, height: number) {
    this.data = data;
    this.width = width;
    this.height = height;
  }
}

/** Runs `work`, which waits for nothing, where the global `ImageData` is ours. */
function withPixels<T>(work: () => T): T {
  const globals = globalThis as { ImageData?: unknown };
  const own = Object.getOwnPropertyDescriptor(globals, "ImageData");
  Object.defineProperty(globals, "ImageData", { value: Pixels, configurable: true, writable: true });
  try {
    return work();
  } finally {
    if (own) Object.defineProperty(globals, "ImageData", own);
    else delete globals.ImageData;
  }
}

/** Memory (bytes) with which an instance is kept; one that a large picture has made larger is given back. */
const MOST_MEMORY = 2 ** 28;

/** What a decoder has made of a file, and what it has said meanwhile. */
export interface Decoded {
  /** Undefined when it gave up. */
  readonly pixels?: Rgba;
  readonly said: readonly string[];
}

/** Decodes with a codec, which is compiled when the first picture comes. */
export class WasmDecoder {
  readonly #codec: Codec;
  #module: Promise<WebAssembly.Module> | undefined;
  #instance: Promise<Instance> | undefined;
  #said: string[] = [];

  constructor(codec: Codec) {
    this.#codec = codec;
  }

  /** @param more what its `decode` takes besides the file */
  async decode(bytes: Uint8Array, ...more: readonly unknown[]): Promise<Decoded> {
    this.#instance ??= this.#start();
    const instance = await this.#instance;
    this.#said = [];
    let pixels: Rgba | undefined;
    try {
      pixels = withPixels(() => instance.decode(bytes, ...more)) ?? undefined;
    } catch {
      // What Emscripten throws is no Error, and its memory is in no known state: the next picture gets another instance.
      this.#instance = undefined;
    }
    if (instance.HEAPU8.length > MOST_MEMORY) this.#instance = undefined;
    return { pixels, said: this.#said };
  }

  async #start(): Promise<Instance> {
    const binary = () => Uint8Array.from(atob(this.#codec.wasm), (letter) => letter.charCodeAt(0));
    this.#module ??= WebAssembly.compile(binary());
    const module = await this.#module;
    const say = (line: string) => void this.#said.push(line);
    return withPixels(() =>
      this.#codec.glue({
        noInitialRun: true,
        print: say,
        printErr: say,
        // Nothing is fetched: the binary is here.
        locateFile: (name: string) => name,
        instantiateWasm(imports: WebAssembly.Imports, done: (instance: WebAssembly.Instance) => void) {
          const instance = new WebAssembly.Instance(module, imports);
          done(instance);
          return instance.exports;
        },
      }),
    );
  }
}

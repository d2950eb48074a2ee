// biome-ignore-all lint/suspicious/noEmptyInterface: they merge with those of the DOM library, and add nothing to them.
/**
 * The names of WebAssembly that our declarations mention, for programs that compile without the DOM library: there they stand
 * for anything, and where it is they are its own.
 */
declare global {
  namespace WebAssembly {
    interface Memory {}
    interface Module {}
  }
}

export {};

import { invariant } from "../../core/errors.ts";
import * as generated from "../../wgsl/generated.ts";
import { type DimsLayout, parseDims } from "./dims.ts";
import { withHalfStorage } from "./halfStorage.ts";
import { type Binding, parseBindings, parseOverrides, usedLibraries } from "./header.ts";
import { type MatrixShape, withMatrices } from "./subgroupMatrices.ts";

/** A kernel ready to be compiled, and what its source says about itself. */
export interface KernelSource {
  readonly name: string;
  /** The kernel alone. */
  readonly text: string;
  /** The kernel and behind it the libraries it uses: so its own line numbers stay as they are, and `enable` comes first. */
  readonly code: string;
  /** In binding order, `dims` last. */
  readonly bindings: readonly Binding[];
  readonly dims: DimsLayout | undefined;
  readonly overrides: readonly string[];
  /** Those that it was made for, where it is written for any. */
  readonly matrices?: MatrixShape;
  /** The file and line behind a line of `code`. */
  locate(line: number): { readonly file: string; readonly line: number };
}

/** Kernels by name: those of wgsl/, and others that a caller brings. */
export class KernelLibrary {
  readonly #texts: ReadonlyMap<string, string>;
  readonly #sources = new Map<string, KernelSource>();

  constructor(more: Readonly<Record<string, string>> = {}) {
    this.#texts = new Map([...Object.entries(generated), ...Object.entries(more)]);
  }

  /** A kernel of wgsl/, by its stem; one on subgroup matrices for those that are given. */
  get(name: string, matrices?: MatrixShape): KernelSource {
    const key = matrices ? `${name} ${JSON.stringify(matrices)}` : name;
    const known = this.#sources.get(key);
    if (known) return known;
    const text = this.#texts.get(name);
    invariant(text !== undefined, `there is no kernel wgsl/${name}.wgsl`);
    return this.#keep(key, this.#assemble(name, text, matrices));
  }

  /** A kernel from its text. Equal texts give the same object, for the same matrices. */
  fromText(name: string, text: string, matrices?: MatrixShape): KernelSource {
    const key = matrices ? `${JSON.stringify(matrices)}\n${text}` : text;
    return this.#sources.get(key) ?? this.#keep(key, this.#assemble(name, text, matrices));
  }

  /** The same kernel with the bindings named `half` kept in f16. */
  halved(kernel: KernelSource, half: readonly string[]): KernelSource {
    if (half.length === 0) return kernel;
    const key = `${half.join()} in f16\n${kernel.code}`;
    const known = this.#sources.get(key);
    if (known) return known;
    const code = withHalfStorage(kernel.code, half);
    return this.#keep(key, { ...kernel, code, bindings: parseBindings(code) });
  }

  #keep(key: string, source: KernelSource): KernelSource {
    this.#sources.set(key, source);
    return source;
  }

  #assemble(name: string, text: string, matrices?: MatrixShape): KernelSource {
    const parts = [{ file: name, text }];
    // Libraries may use libraries; the list grows while it is walked.
    for (const { text: using } of parts)
      for (const library of usedLibraries(using)) {
        const file = `lib/${library}`;
        if (parts.some((part) => part.file === file)) continue;
        const found = this.#texts.get(`lib_${library}`);
        invariant(found !== undefined, `${name} uses wgsl/${file}.wgsl, which does not exist`);
        parts.push({ file, text: found });
      }
    const bindings = parseBindings(text);
    const dims = parseDims(text);
    const last = bindings[bindings.length - 1];
    invariant((last?.access === "uniform") === (dims !== undefined), `${name} must bind its Dims last`);
    const code = parts.map((part) => part.text).join("\n");
    return {
      name,
      text,
      code: matrices ? withMatrices(code, matrices) : code,
      bindings,
      dims,
      overrides: parseOverrides(code),
      ...(matrices && { matrices }),
      locate(line) {
        let rest = line;
        for (const part of parts) {
          const lines = part.text.split("\n").length;
          if (rest <= lines) return { file: part.file, line: rest };
          rest -= lines;
        }
        return { file: name, line };
      },
    };
  }
}

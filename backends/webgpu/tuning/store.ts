import { cachePath, hasCacheFolder, readCached, writeCached } from "../../host/cacheFile.ts";
import { type Choice, type Choices, decodeChoices, encodeChoices, type Measured } from "./choices.ts";

/** Larger files are not ours: a choice takes about 150 bytes. */
const MOST_BYTES = 4 * 2 ** 20;

/** Where choices are kept. */
export interface StoreOptions {
  /** False keeps them in memory only. Default: true. */
  readonly onDisk?: boolean;
  /** Hears once why the cache is of no use; nothing else comes of it. */
  readonly onProblem?: (problem: string) => void;
}

/**
 * Choices of variants, kept from run to run in the cache folder where there is one. A file that is damaged, or of another
 * driver or version of the kernels, is left unread and replaced when something new is measured.
 */
export class ChoiceStore {
  readonly #of: Measured;
  readonly #onDisk: boolean;
  readonly #onProblem: (problem: string) => void;
  readonly #choices: Choices = new Map();
  #complained = false;
  #changed = false;

  private constructor(of: Measured, { onDisk = true, onProblem = () => {} }: StoreOptions) {
    this.#of = of;
    this.#onDisk = onDisk && hasCacheFolder();
    this.#onProblem = onProblem;
  }

  /** Reads what was kept for this device. */
  static async open(of: Measured, options: StoreOptions = {}): Promise<ChoiceStore> {
    const store = new ChoiceStore(of, options);
    await store.#read();
    return store;
  }

  get(signature: string): Choice | undefined {
    return this.#choices.get(signature);
  }

  set(signature: string, choice: Choice): void {
    this.#choices.set(signature, choice);
    this.#changed = true;
  }

  /** Writes what is new, beside what another process has written in the meantime. */
  async save(): Promise<void> {
    if (!this.#changed || !this.#onDisk) return;
    await this.#read();
    await this.#attempt("write", () => writeCached(fileName(this.#of), encodeChoices(this.#of, this.#choices)));
    this.#changed = false;
  }

  /** Adds what the file knows and we do not. */
  async #read(): Promise<void> {
    if (!this.#onDisk) return;
    await this.#attempt("use", async () => {
      const text = await readCached(fileName(this.#of), MOST_BYTES);
      if (text === undefined) return;
      for (const [signature, choice] of decodeChoices(text, this.#of))
        if (!this.#choices.has(signature)) this.#choices.set(signature, choice);
    });
  }

  async #attempt(verb: string, action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      if (this.#complained) return;
      this.#complained = true;
      const reason = (error as Error).message;
      this.#onProblem(`Cannot ${verb} the tuning cache ${pathOf(this.#of)}: ${reason}`);
    }
  }
}

/** One file per adapter: "tuning-mesa-llvmpipe.json". */
function fileName({ adapter }: Measured): string {
  const slug = adapter.toLowerCase().replace(/[^a-z0-9]+/g, "-");
  return `tuning-${slug.slice(0, 80)}.json`;
}

function pathOf(of: Measured): string {
  try {
    return cachePath(fileName(of));
  } catch {
    return fileName(of);
  }
}

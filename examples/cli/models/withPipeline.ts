import { files } from "../../../backends/host/files.ts";
import { onInterrupt } from "../../../backends/host/interrupt.ts";
import type { Backend } from "../../../core/interfaces/mod.ts";
import { workProgress } from "../../../plugins/observers/workProgress.ts";
import { type LoraWish, type OpenedPipeline, openPipeline } from "../../../plugins/pipelines/textToImage.ts";
import type { Given } from "../command.ts";
import { describeBackend, openBackend, tuning } from "../device.ts";
import { INTERRUPTED } from "../exitStatus.ts";
import { loadRegistry } from "../registry.ts";

/** What a task with a model has at hand. */
interface AtHand {
  readonly model: OpenedPipeline;
  readonly backend: Backend;
  readonly work: ReturnType<typeof workProgress>;
  /** Tells the user something, a sentence each. */
  readonly note: (text: string) => void;
  /** Aborted by Ctrl-C; the task then rejects. */
  readonly signal: AbortSignal;
}

/** How a task goes on. */
interface TaskOptions {
  /** What is counted. */
  readonly unit: string;
  /** What Ctrl-C does, for the user. */
  readonly stopping: string;
  /** The model that is opened. */
  readonly path: string;
  readonly loras?: readonly LoraWish[];
}

/**
 * Does something with a model that is opened as the flags of a command say, on the device that they say. Resolves with what the task
 * gives as exit status, or with that of an interrupted program.
 */
export async function withPipeline(
  given: Given,
  { unit, stopping, path, loras }: TaskOptions,
  task: (atHand: AtHand) => Promise<number>,
): Promise<number> {
  const note = (text: string) => void process.stderr.write(`note: ${text}\n`);
  const registry = await loadRegistry(given.all("plugin"));
  const backend = await openBackend(given.text("device"), tuning(given));
  const work = workProgress(process.stderr, unit);
  const cancel = new AbortController();
  const unwatch = onInterrupt(() => {
    process.stderr.write(`${stopping}\n`);
    cancel.abort();
  });
  try {
    const model = await openPipeline(files, path, {
      backend,
      registry,
      loras,
      unet: given.text("unet"),
      vae: given.text("vae"),
      vocabulary: given.text("vocabulary"),
      variant: given.text("variant"),
      note,
    });
    process.stderr.write(`device  ${describeBackend(backend)}\n`);
    return await task({ model, backend, work, note, signal: cancel.signal });
  } catch (error) {
    if (!cancel.signal.aborted) throw error;
    return INTERRUPTED;
  } finally {
    unwatch();
    work.close();
    await backend.close();
  }
}

import { failure } from "../../core/errors.ts";
import type { Offload, Offloaded, Portable } from "../../core/interfaces/offload.ts";
import { type HostWorker, type Port, startWorker } from "./worker.ts";

/** How work is taken off the calling thread. */
export interface OffloadOptions {
  /** Told, once, why work stays on the calling thread after all. */
  readonly tell?: (why: string) => void;
  /** How a worker is started; another way for tests. */
  readonly start?: typeof startWorker;
}

/** Gives every function a worker of its own; where none can be started, work stays on the calling thread. */
export function offloading({ tell, start = startWorker }: OffloadOptions = {}): Offload {
  let told = false;
  const tellOnce = (why: string) => {
    if (!told) tell?.(`Cannot use a worker, the calling thread does its work: ${why}`);
    told = true;
  };
  return <A, R extends object>(task: Portable<A, R>) => new WorkerTask<A, R>(task, tellOnce, start);
}

interface Request<A> {
  readonly id: number;
  readonly argument: A;
}
/** "ready" comes first; a reply without a value stands for an error of the function. */
type Reply<R> = "ready" | { readonly id: number; readonly value?: R };

/** The life of a worker. Sent there as text, so it uses nothing from outside itself. */
function serve<A, R extends object>(task: Portable<A, R>, { listen, send }: Port<Request<A>, Reply<R>>): void {
  listen(async ({ id, argument }) => {
    try {
      const value = await task(argument);
      const arrays = Object.values(value).filter((member) => ArrayBuffer.isView(member));
      send({ id, value }, [...new Set(arrays.map(({ buffer }) => buffer as ArrayBuffer))]);
    } catch {
      send({ id }, []);
    }
  });
  send("ready", []);
}

/** A run that the worker has not answered. */
interface OpenRun<A, R> {
  readonly argument: A;
  readonly resolve: (value: R | Promise<R>) => void;
  readonly reject: (error: Error) => void;
}

/**
 * A function in a worker. Until the worker has reported, and from its failure on, runs are done on the calling thread: so
 * none waits for a worker that never comes, and what a worker leaves open is done here.
 */
export class WorkerTask<A, R extends object> implements Offloaded<A, R> {
  readonly #task: Portable<A, R>;
  readonly #tell: (why: string) => void;
  readonly #open = new Map<number, OpenRun<A, R>>();
  #worker: HostWorker | undefined;
  #ready = false;
  #disposed = false;
  #nextId = 0;
  #elsewhere = 0;

  constructor(task: Portable<A, R>, tell: (why: string) => void, start: typeof startWorker) {
    this.#task = task;
    this.#tell = tell;
    try {
      this.#worker = start((port) => `(${serve})(${task}, ${port})`, {
        message: (reply) => this.#receive(reply as Reply<R>),
        failed: (why) => this.#fail(why),
      });
    } catch (error) {
      this.#fail((error as Error).message);
    }
  }

  /** Runs that the worker has answered: shows that it works. */
  get elsewhere(): number {
    return this.#elsewhere;
  }

  run(argument: A): Promise<R> {
    if (this.#disposed) return Promise.reject(disposed());
    if (!this.#ready) return this.#runHere(argument);
    return new Promise((resolve, reject) => {
      const id = this.#nextId++;
      this.#worker!.post({ id, argument });
      this.#open.set(id, { argument, resolve, reject });
      // The process must not end while the last run is awaited.
      this.#worker!.hold(true);
    });
  }

  async dispose(): Promise<void> {
    this.#disposed = true;
    for (const { reject } of this.#takeOpen()) reject(disposed());
    await this.#stop();
  }

  async #runHere(argument: A): Promise<R> {
    return this.#task(argument);
  }

  #receive(reply: Reply<R>): void {
    if (reply === "ready") {
      this.#ready = this.#worker !== undefined;
      return;
    }
    const run = this.#open.get(reply.id);
    if (!run) return;
    this.#open.delete(reply.id);
    if (this.#open.size === 0) this.#worker?.hold(false);
    if (reply.value) {
      this.#elsewhere++;
      run.resolve(reply.value);
    } else {
      // The worker does not send the error. Running the task here reproduces it with its class and fields.
      run.resolve(this.#runHere(run.argument));
    }
  }

  #fail(why: string): void {
    if (this.#disposed) return;
    this.#tell(why);
    void this.#stop();
    for (const { argument, resolve } of this.#takeOpen()) resolve(this.#runHere(argument));
  }

  #takeOpen(): OpenRun<A, R>[] {
    const open = [...this.#open.values()];
    this.#open.clear();
    return open;
  }

  async #stop(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    this.#ready = false;
    await worker?.stop();
  }
}

const disposed = () => failure("E_DISPOSED", "Cannot run work in a worker: it is disposed, should still be in use");

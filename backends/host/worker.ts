/** A worker of Node, Deno or a browser, which never keeps a process alive unless it is told to. */
export interface HostWorker {
  post(message: unknown): void;
  /** Whether the process waits for this worker; at first it does not. A page has nothing to wait for. */
  hold(held: boolean): void;
  stop(): Promise<void>;
}

/** A message from a worker to the thread that started it. */
export interface WorkerEvents {
  readonly message: (data: unknown) => void;
  /** It could not be loaded, or has ended by an error. */
  readonly failed: (why: string) => void;
}

/** What is used of a page's `Worker`: said here, so that programs compile without the types of browsers. */
export interface PageWorker {
  addEventListener(type: string, handle: (event: PageWorkerEvent) => void): void;
  postMessage(message: unknown): void;
  terminate(): void;
}

interface PageWorkerEvent {
  readonly type: string;
  readonly data?: unknown;
  readonly message?: string;
}

/** Makes a worker of a page from a file that does what the script says: a policy may forbid workers that are made of text. */
export type MakeWorker = () => PageWorker;

/** The other end, in the worker. */
export interface Port<In = unknown, Out = unknown> {
  listen(handle: (message: In) => void): void;
  send(message: Out, transfer: readonly ArrayBuffer[]): void;
}

interface NodeProcess {
  getBuiltinModule?(name: string): unknown;
}

/**
 * Starts a worker on a script that is given as text, which spares every bundler a second entry point: `script(port)` is that
 * text, where `port` is an expression for a `Port`. Without `events` an error in the worker is one of the process.
 * @param make in browsers, in place of the script
 * @throws where the runtime has no workers, or allows none
 */
export function startWorker(
  script: (port: string) => string,
  events?: Partial<WorkerEvents>,
  make?: MakeWorker,
): HostWorker {
  // Asked for at run time, so that bundles for browsers need no stand-in for the module.
  const { process } = globalThis as { process?: NodeProcess };
  const threads = process?.getBuiltinModule?.("node:worker_threads");
  return threads
    ? startThread(threads as typeof import("node:worker_threads"), script, events)
    : listened((make ?? (() => workerOf(script)))(), events);
}

function startThread(
  threads: typeof import("node:worker_threads"),
  script: (port: string) => string,
  { message, failed }: Partial<WorkerEvents> = {},
): HostWorker {
  const port = `(({ parentPort }) => ({
    listen: (handle) => parentPort.on("message", handle),
    send: (message, transfer) => parentPort.postMessage(message, transfer),
  }))(process.getBuiltinModule("node:worker_threads"))`;
  const worker = new threads.Worker(script(port), { eval: true });
  if (message) worker.on("message", message);
  if (failed) {
    worker.on("error", (error) => failed(error.message));
    worker.on("exit", (code) => failed(`it ended with code ${code}`));
  }
  // Last: listening for messages keeps the process alive again.
  worker.unref();
  return {
    post: (data) => worker.postMessage(data),
    hold: (held) => void (held ? worker.ref() : worker.unref()),
    stop: async () => void (await worker.terminate()),
  };
}

/** The port of a worker of the web, as an expression in its script. */
const WEB_PORT = `({
  listen: (handle) => { onmessage = ({ data }) => handle(data); },
  send: (message, transfer) => postMessage(message, transfer),
})`;

function workerOf(script: (port: string) => string): PageWorker {
  const url = URL.createObjectURL(new Blob([script(WEB_PORT)], { type: "text/javascript" }));
  const worker = new Worker(url);
  URL.revokeObjectURL(url);
  return worker;
}

function listened(worker: PageWorker, { message, failed }: Partial<WorkerEvents> = {}): HostWorker {
  if (message) worker.addEventListener("message", ({ data }) => message(data));
  // A file that is not there, and a policy of the page that forbids the worker, show as an error without a message.
  if (failed)
    worker.addEventListener("error", ({ message: why }) =>
      failed(why || "the page does not allow it, or its file is not there"),
    );
  return {
    post: (data) => worker.postMessage(data),
    hold: () => {},
    stop: async () => worker.terminate(),
  };
}

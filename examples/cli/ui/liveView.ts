/** Serves the page of runs to browsers, and tells it what happens in them. */
import { readFile } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { basename } from "node:path";
import { type LocalRequest, type LocalServer, refuse, serveLocally } from "../../../backends/host/localServer.ts";
import { failure } from "../../../core/errors.ts";
import { parseCommand } from "../../../core/train/loop/parseCommand.ts";
import type { Command } from "../../../core/train/mod.ts";
import { type PageFiles, POLICY, pageFiles } from "./pageFiles.ts";
import type { RunChanges, RunWatch } from "./runWatch.ts";

/** What the page is told first, beside all that is known of the runs. */
export interface Hello {
  readonly version: string;
  readonly runs: readonly { readonly id: number; readonly name: string; readonly path: string }[];
  /** The run that takes commands of the page. */
  readonly control?: number;
}

/** A message to the page. */
export interface Message {
  readonly hello?: Hello;
  /** By the number of the run. */
  readonly runs: Readonly<Record<string, RunChanges>>;
  /** The server ends, for this reason. */
  readonly bye?: string;
}

/** What is shown, and to whom. */
export interface LiveViewOptions {
  readonly watches: readonly RunWatch[];
  readonly port: number;
  readonly token?: string;
  readonly version: string;
  /** Takes the commands of the page for the first run; without it the page only shows. */
  readonly command?: (command: Command) => void;
  /** Default: those that the program was built with. */
  readonly page?: PageFiles;
}

/** Milliseconds between two looks at the folders: with somebody who sees it, and without. */
const [SEEN, UNSEEN] = [1000, 3000];
/** Looks between two signs of life of a stream. */
const SILENT_LOOKS = 20;
/** Bytes that wait for a reader at most; one that takes less is let go, and comes back by itself. */
const MOST_WAITING = 16 * 2 ** 20;
/** Streams at most. */
const MOST_STREAMS = 64;

/** @throws E_PORT, or E_FILE where the program was built without its page */
export async function liveView(options: LiveViewOptions): Promise<LocalServer> {
  const { watches, port, token, version, command } = options;
  const page = options.page ?? (await pageFiles());
  const names = watches.map(({ path }) => basename(path) || path);
  const hello: Hello = {
    version,
    runs: watches.map(({ path }, id) => ({
      id,
      path,
      name: names.filter((each) => each === names[id]).length > 1 ? path : names[id],
    })),
    ...(command && { control: 0 }),
  };
  const streams = new Set<ServerResponse>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let looking: Promise<void> | undefined;
  let silent = 0;
  let over = false;

  const tell = (message: Message) => {
    const text = frame(message);
    for (const stream of streams)
      if (stream.writableLength > MOST_WAITING) stream.destroy();
      else stream.write(text);
  };
  const look = async () => {
    const runs: Record<string, RunChanges> = {};
    for (const [id, watch] of watches.entries()) {
      await watch.refresh();
      const changes = watch.takeChanges();
      if (changes) runs[id] = changes;
    }
    if (Object.keys(runs).length > 0) {
      tell({ runs });
      silent = 0;
    } else if (++silent % SILENT_LOOKS === 0) for (const stream of streams) stream.write(": here\n\n");
  };
  const next = () => {
    clearTimeout(timer);
    if (!over) timer = setTimeout(lookNow, streams.size > 0 ? SEEN : UNSEEN);
  };
  const lookNow = (): Promise<void> => {
    clearTimeout(timer);
    looking ??= look().finally(() => {
      looking = undefined;
      next();
    });
    return looking;
  };

  const follow = (response: ServerResponse) => {
    if (streams.size >= MOST_STREAMS)
      return refuse(response, 503, "error E_REQUEST: Cannot answer: too many pages are open");
    response.writeHead(200, { "Content-Type": "text/event-stream" });
    response.write("retry: 1000\n\n");
    response.write(frame({ hello, runs: Object.fromEntries(watches.map((watch, id) => [id, watch.whole()])) }));
    streams.add(response);
    response.on("close", () => streams.delete(response));
    void lookNow();
  };

  const handle = async ({ method, path, body, incoming }: LocalRequest, response: ServerResponse) => {
    if (method === "POST" && path === "command") {
      if (!/^application\/json\b/.test(incoming.headers["content-type"] ?? ""))
        return refuse(response, 415, "error E_REQUEST: Cannot take the command: it is no application/json");
      if (!command) throw failure("E_REQUEST", "Cannot take the command: the page only shows this run");
      command(parseCommand(await body()));
      response.writeHead(204);
      response.end();
      return;
    }
    if (method !== "GET") return refuse(response, 405, `error E_REQUEST: Cannot answer ${method}`);
    if (path === "events") return follow(response);
    const [, id, name] = path.match(/^runs\/(\d{1,4})\/samples\/([^/]+)$/) ?? [];
    const picture = id === undefined ? undefined : watches[Number(id)]?.pictureFile(name);
    if (picture !== undefined) {
      // The address has the picture's version, so that one drawn anew is another.
      response.writeHead(200, { "Content-Type": "image/png", "Cache-Control": "private, max-age=86400, immutable" });
      response.end(await readFile(picture));
      return;
    }
    const file = page[path === "" ? "index.html" : path];
    if (!file) return refuse(response, 404, "error E_REQUEST: Cannot answer: there is no such file");
    response.writeHead(200, { "Content-Type": file.type, "Content-Security-Policy": POLICY });
    response.end(file.content);
  };

  const server = await serveLocally({ port, token, handle });
  void lookNow();
  return {
    ...server,
    async close() {
      over = true;
      clearTimeout(timer);
      await looking?.catch(() => {});
      await look().catch(() => {});
      tell({ runs: {}, bye: "the program that showed this page has ended" });
      for (const stream of streams) stream.end();
      await new Promise((resolve) => setTimeout(resolve, 50));
      await server.close();
    },
  };
}

/** A message of a stream of events; JSON has no line end. */
const frame = (message: Message): string => `data: ${JSON.stringify(message)}\n\n`;

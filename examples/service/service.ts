import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { OnestepError } from "onestep";
import type { Model, Sampled, SampleRequest } from "onestep/engine";
import { encodePng } from "onestep/observers";

/** What addresses are read against; they name no host. */
const BASE = "http://localhost";

/** What a service allows. */
export interface ServiceLimits {
  /** Samples that one request may ask for; 256 by default. */
  readonly count?: number;
  /** Requests that are served or wait at the same time; more are sent away with status 503. 8 by default. */
  readonly requests?: number;
  /** Milliseconds that a client may leave an answer unread before it is given up, since others wait behind it; 10,000 by default. */
  readonly patience?: number;
}

/**
 * A server that samples: `GET /samples?count=4&seed=7&label=3` answers with a line of JSON for each sample, as they are drawn. What a client
 * reads slowly is drawn slowly, and what nobody reads any more is not drawn. `GET /status` tells what it does. For the caller to `listen`,
 * on 127.0.0.1; requests under other names of the machine, and of pages from elsewhere, are refused.
 */
export function sampleService(model: Model, limits: ServiceLimits = {}): Server {
  const { count: most = 256, requests = 8, patience = 10_000 } = limits;
  const told = { role: model.role, shape: model.shape, classes: model.classes, open: 0, drawn: 0, givenUp: 0 };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    checkSender(request);
    const { url: address = "/" } = request;
    if (!URL.canParse(address, BASE)) throw new Refusal(400, "E_ADDRESS", "the address is not one of a file");
    const url = new URL(address, BASE);
    if (!["/samples", "/status"].includes(url.pathname))
      throw new Refusal(404, "E_NOT_FOUND", `there is no ${url.pathname}, expected /samples or /status`);
    if (request.method !== "GET") throw new Refusal(405, "E_METHOD", `the method is ${request.method}, expected GET`);
    if (url.pathname === "/status") return void response.end(`${JSON.stringify(told)}\n`);
    const asked = requestIn(url.searchParams, most);
    if (told.open >= requests) throw new Refusal(503, "E_BUSY", `${told.open} requests are open, try again later`);
    told.open++;
    const gone = new AbortController();
    response.once("close", () => gone.abort());
    try {
      let first = 0;
      for await (const portion of model.portions({ ...asked, signal: gone.signal })) {
        told.drawn += portion.shape[0];
        if (first === 0) response.setHeader("Content-Type", "application/x-ndjson");
        for (const line of linesOf(portion, first, model.classes))
          if (!response.write(line)) await drained(response, patience, gone.signal);
        first += portion.shape[0];
      }
      response.end();
    } catch (error) {
      if (!gone.signal.aborted) throw error;
      told.givenUp++;
    } finally {
      told.open--;
    }
  }

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => refuse(response, error));
  });
  // A client that sends half a request must not hold a place.
  server.requestTimeout = patience;
  return server;
}

/** Resolves when a client has read what was written; rejects when it has gone, or does not read for too long. */
async function drained(response: ServerResponse, patience: number, gone: AbortSignal): Promise<void> {
  const timer = setTimeout(() => response.destroy(), patience);
  try {
    await once(response, "drain", { signal: gone });
  } finally {
    clearTimeout(timer);
  }
}

/** One line of JSON for each sample: a PNG picture as base 64, or its numbers. */
function* linesOf(portion: Sampled, first: number, classes: readonly string[] | undefined): Generator<string> {
  const { shape, x, labels, seed, nfe } = portion;
  const isPicture = shape.length === 4;
  const pictures = isPicture ? portion.pictures() : [];
  const size = x.length / shape[0];
  for (let i = 0; i < shape[0]; i++) {
    const label = labels && (classes?.[labels[i]] ?? labels[i]);
    const content = isPicture
      ? { png: Buffer.from(encodePng(pictures[i])).toString("base64") }
      : { x: Array.from(x.subarray(i * size, (i + 1) * size)) };
    yield `${JSON.stringify({ index: first + i, label, seed, nfe, ...content })}\n`;
  }
}

/** A request that is answered with a status and one line. */
class Refusal extends Error {
  readonly status: number;
  readonly code: string;
  constructor(status: number, code: string, message: string) {
    super(`Cannot answer: ${message}`);
    this.status = status;
    this.code = code;
  }
}

/** Programs of this machine alone: a page of another site may reach it by a name that leads here. */
function checkSender({ headers, socket }: IncomingMessage): void {
  const names = ["127.0.0.1", "localhost", "[::1]"].map((name) => `${name}:${socket.localPort}`);
  if (!names.includes(headers.host ?? ""))
    throw new Refusal(403, "E_HOST", `the host is ${headers.host ?? "missing"}, expected ${names[0]}`);
  const { origin } = headers;
  if (origin !== undefined && !names.some((name) => origin === `http://${name}`))
    throw new Refusal(403, "E_ORIGIN", "it comes from a page of another origin");
}

const readers: Readonly<Record<string, (text: string) => Partial<SampleRequest>>> = {
  count: (text) => ({ count: numberIn("count", text) }),
  seed: (text) => ({ seed: numberIn("seed", text) }),
  steps: (text) => ({ steps: numberIn("steps", text) }),
  guidance: (text) => ({ guidance: numberIn("guidance", text) }),
  label: (label) => ({ label }),
};

/** What the address asks for; the model checks the rest. */
function requestIn(given: URLSearchParams, most: number): SampleRequest {
  let request: SampleRequest = {};
  for (const [name, text] of given) {
    if (!Object.hasOwn(readers, name))
      throw new Refusal(400, "E_PARAMETER", `"${name}" is not one of ${Object.keys(readers).join(", ")}`);
    request = { ...request, ...readers[name](text) };
  }
  if ((request.count ?? 1) > most)
    throw new Refusal(400, "E_PARAMETER", `count is ${request.count}, expected at most ${most}`);
  return request;
}

function numberIn(name: string, text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value))
    throw new Refusal(400, "E_PARAMETER", `${name} is ${JSON.stringify(text)}, expected a number`);
  return value;
}

/** Codes that tell what was wrong with the request. */
const OF_REQUEST = ["E_OPTION", "E_UNKNOWN_OPTION", "E_MISSING_PLUGIN"];

/** One line of JSON: at the head of the answer with its status, or at the end of one that has begun. */
function refuse(response: ServerResponse, error: unknown): void {
  const known = error instanceof Refusal || error instanceof OnestepError;
  // What else goes wrong is told to whoever runs the service, not to its clients.
  if (!known) console.error(error);
  const code = known ? error.code : "E_INTERNAL";
  const status = error instanceof Refusal ? error.status : OF_REQUEST.includes(code) ? 400 : 500;
  const line = `${JSON.stringify({ code, error: known ? error.message : "the service has failed" })}\n`;
  if (response.headersSent) return void response.end(line);
  const more = { ...(status === 503 && { "Retry-After": "1" }), ...(status === 405 && { Allow: "GET" }) };
  response.writeHead(status, { "Content-Type": "application/json", ...more }).end(line);
}

/**
 * A generator behind HTTP, on this machine alone: samples as they are drawn, a limit of requests, and nothing is drawn for who has gone.
 *
 *     npm run example -- service runs/mnist 8080
 *     curl 'http://127.0.0.1:8080/samples?count=4&label=3&seed=7'
 */
import type { AddressInfo } from "node:net";
import { createEngine } from "onestep/engine";
import { files } from "onestep/host";
import { sampleService } from "./service.ts";

const [run, port = "8080"] = process.argv.slice(2);
if (run === undefined) {
  console.error("usage: npm run example -- service <run folder|weights.safetensors> [port]");
  process.exit(2);
}

const engine = await createEngine({ files, note: console.error });
// What is asked for is drawn four at a time: a client who leaves wastes no more than that.
const model = await engine.load(run, { batch: 4 });
const server = sampleService(model);
server.listen(Number(port), "127.0.0.1", () => {
  const { port: taken } = server.address() as AddressInfo;
  console.log(`the ${model.role} on ${engine.device.backend}: http://127.0.0.1:${taken}/samples?count=4`);
});

for (const signal of ["SIGINT", "SIGTERM"] as const)
  process.once(signal, async () => {
    server.close();
    server.closeAllConnections();
    await engine.dispose();
  });

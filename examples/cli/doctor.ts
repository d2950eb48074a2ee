import { diagnose, formatReport } from "../../backends/webgpu/adapter/doctor.ts";
import { describeBackend, openBackend, openWasm } from "./device.ts";

export async function run(): Promise<number> {
  process.stdout.write(formatReport(await diagnose()));
  process.stdout.write(`\nwasm uses ${await wasmTiles()}\n`);
  const backend = await openBackend();
  process.stdout.write(`--device auto uses ${describeBackend(backend)}\n`);
  await backend.close();
  return 0;
}

/** Which tiles the kernels of the wasm backend use here, and why. */
async function wasmTiles(): Promise<string> {
  try {
    const backend = await openWasm();
    await backend.close();
    return `${backend.tiles.wide ? "wide" : "narrow"} tiles: ${backend.tiles.reason}`;
  } catch (error) {
    return `nothing: ${(error as Error).message}`;
  }
}

import { diagnose, formatReport } from "../../backends/webgpu/adapter/doctor.ts";
import { describeBackend, openBackend } from "./device.ts";

export async function run(): Promise<number> {
  process.stdout.write(formatReport(await diagnose()));
  const backend = await openBackend();
  process.stdout.write(`\n--device auto uses ${describeBackend(backend)}\n`);
  await backend.close();
  return 0;
}

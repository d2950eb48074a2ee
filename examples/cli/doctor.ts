import { diagnose, formatReport } from "../../backends/webgpu/adapter/doctor.ts";
import type { Command } from "./command.ts";
import { describeBackend, openBackend } from "./device.ts";

export const doctor: Command = {
  name: "doctor",
  about: "Lists the devices of this machine, which one is used, and how to get a faster one.",
  operands: "",
  arity: [0, 0],
  flags: {},
  examples: ["doctor"],
  async run() {
    process.stdout.write(formatReport(await diagnose()));
    const backend = await openBackend();
    process.stdout.write(`\n--device auto uses ${describeBackend(backend)}\n`);
    await backend.close();
    return 0;
  },
};

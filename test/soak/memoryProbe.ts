/** A plugin that writes down, at every so many steps, what the process and its device hold. */
import { appendFileSync, readdirSync } from "node:fs";
import { BACKEND, definePlugin, number, OBSERVERS, text } from "onestep";
import type { MemorySample } from "./memoryJudge.ts";

export default definePlugin({
  name: "memory-probe",
  kind: "observer",
  token: OBSERVERS,
  about: "memory and descriptors of the process, a line of JSON for every so many steps",
  options: {
    file: text({ default: "", about: "where the lines go" }),
    every: number({ default: 1, min: 1, integer: true, about: "steps between two samples" }),
  },
  create: ({ file, every }, container) => ({
    name: "memory-probe",
    observe(bus) {
      const backend = container.get(BACKEND);
      bus.on("step/end", ({ stage, step }) => {
        if (step % every !== 0) return;
        const { rss } = process.memoryUsage();
        // What is only waiting to be collected is not held.
        globalThis.gc?.();
        const { heapUsed: heap, external, arrayBuffers } = process.memoryUsage();
        const descriptors = readdirSync("/proc/self/fd").length;
        const seconds = Math.round(process.uptime());
        const sample: MemorySample = {
          stage,
          step,
          seconds,
          device: backend.liveBytes,
          rss,
          heap,
          external,
          arrayBuffers,
          descriptors,
        };
        appendFileSync(file, `${JSON.stringify(sample)}\n`);
      });
    },
  }),
});

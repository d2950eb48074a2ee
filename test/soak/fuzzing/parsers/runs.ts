/** Readers of what runs leave in their folders, and machines in their caches. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { ownerIn } from "../../../../backends/host/claim.ts";
import { tarFiles } from "../../../../backends/webgpu/adapter/softwareDriver.ts";
import { decodeChoices } from "../../../../backends/webgpu/tuning/choices.ts";
import { failure } from "../../../../core/errors.ts";
import { joined } from "../../../../core/tensor/mod.ts";
import { runFolder } from "../../../../core/train/files/runFolder.ts";
import { EventBus } from "../../../../core/train/mod.ts";
import { eventLog } from "../../../../plugins/observers/eventLog.ts";
import { eventOf, loggedLosses } from "../../../../plugins/observers/logLines.ts";
import { GoldenSet } from "../../../conformance/goldenSet.ts";
import { memoryFiles } from "../../../helpers/memoryFiles.ts";
import { type Draw, utf8 } from "../draw.ts";
import { expect, finite, sizeOf } from "../expect.ts";
import type { FuzzedParser } from "../fuzzParser.ts";
import { memoryFolder } from "../memoryFolder.ts";
import { safetensorsBytes } from "../safetensorsBytes.ts";

const marks: FuzzedParser = {
  name: "run.json and config.json",
  factor: 8,
  make(draw) {
    const train = draw.object({ seed: "0", steps: "5", batch: "8", logEvery: "1", evaluateCount: "10" });
    const config = draw.object({ dataset: '{"use":"mnist"}', network: '{"use":"mlp"}', train });
    const run = draw.object({ program: '"onestep"', format: "2" });
    const contents: Record<string, Uint8Array> = {};
    if (draw.chance(0.8)) contents["r/run.json"] = draw.damaged(utf8(draw.chance(0.8) ? run : draw.json(4)));
    if (draw.chance(0.8)) contents["r/config.json"] = draw.damaged(utf8(draw.chance(0.8) ? config : draw.json(4)));
    const folder = runFolder(memoryFiles(contents), "r");
    return {
      size: sizeOf(contents),
      async run() {
        expect(typeof (await folder.isOurs()) === "boolean", "isOurs is not true or false");
        await folder.holdsRun(["generator"]);
        await folder.isFresh();
      },
    };
  },
};

/** A log with lines that are sound, cut, of 0.1.0, or of something else. */
function eventLines(draw: Draw): Uint8Array {
  const lines = draw.list(8, () => {
    const losses = draw.object({ matching: draw.pick(["0.5", '"NaN"', "null", "1e999"]), fake: draw.json(0) });
    const line = draw.object(
      {
        at: "1.5",
        type: draw.pick(['"role/updated"', '"critic/updated"', '"run/end"']),
        stage: '"distillation"',
        role: '"generator"',
        step: draw.pick(["3", "-1", '"7"', "0.5", "1e999"]),
        losses,
      },
      0.95,
    );
    return draw.chance(0.9) ? line : `${draw.json(2)} "role/updated"`;
  });
  return draw.damaged(utf8(lines.join("\n") + (draw.chance(0.5) ? "\n" : "")), 0.5);
}

const events: FuzzedParser = {
  name: "events.jsonl, its losses",
  factor: 8,
  make(draw) {
    const bytes = eventLines(draw);
    return {
      size: bytes.length,
      run() {
        for (const line of new TextDecoder().decode(bytes).split("\n")) {
          const event = eventOf(line);
          const losses = event && loggedLosses(event);
          if (!losses) continue;
          const { stage, role, step, values } = losses;
          expect(typeof stage === "string" && typeof role === "string", "a stage or a role that is no text");
          expect(Number.isSafeInteger(step) && step >= 0, `step ${step} was taken`);
          for (const value of Object.values(values)) expect(typeof value === "number", "a loss that is no number");
        }
      },
    };
  },
};

/** What no generated line holds. */
const MARK = "the line that is added";

const eventEnd: FuzzedParser = {
  name: "events.jsonl, its end",
  factor: 24,
  make(draw) {
    const bytes = eventLines(draw);
    const files = memoryFiles({ log: bytes });
    const whole = bytes.subarray(0, bytes.lastIndexOf(10) + 1);
    return {
      size: bytes.length,
      async run() {
        const bus = new EventBus();
        eventLog({ files, path: "log" }).observe(bus);
        bus.emit("run/warning", { source: MARK, message: "x" });
        await until(() => Buffer.from(files.contents.get("log")!).includes(MARK));
        const now = files.contents.get("log")!;
        expect(Buffer.from(now.subarray(0, whole.length)).equals(whole), "whole lines were changed");
        const added = new TextDecoder().decode(now.subarray(whole.length));
        for (const line of added.split("\n").filter(Boolean)) JSON.parse(line);
      },
    };
  },
};

async function until(holds: () => boolean): Promise<void> {
  for (let i = 0; i < 1000 && !holds(); i++) await Promise.resolve();
}

const lock: FuzzedParser = {
  name: "run.lock",
  factor: 8,
  make(draw) {
    const owner = {
      id: '"0b7c"',
      pid: draw.pick(["17", "0", "-1", "1e300", "1.5"]),
      host: '"here"',
      since: '"2026"',
      boot: '""',
      namespace: '""',
      ticks: '"5"',
    };
    const bytes = draw.damaged(utf8(draw.object(owner)));
    return {
      size: bytes.length,
      run() {
        const found = ownerIn(new TextDecoder().decode(bytes));
        if (!found) return;
        expect(found.pid > 0 && found.pid < 2 ** 31, `process ${found.pid} was taken`);
        for (const key of ["id", "host", "since", "boot", "namespace", "ticks"] as const)
          expect(typeof found[key] === "string", `${key} is no text`);
      },
    };
  },
};

const OF = { adapter: "mesa llvmpipe", driver: "25", kernels: "abc" };

const tuning: FuzzedParser = {
  name: "tuning cache",
  factor: 8,
  make(draw) {
    const keep = draw.pick([1, 0.97, 0.9]);
    const choice = () =>
      draw.object(
        {
          variant: '"tiled"',
          ms: draw.object({ tiled: draw.chance(keep) ? "0.5" : draw.pick(["1e999", "-1"]), plain: "2" }, keep),
        },
        keep,
      );
    const file = {
      format: "1",
      adapter: JSON.stringify(OF.adapter),
      driver: '"25"',
      kernels: '"abc"',
      choices: draw.object({ "matmul {} f32[8,8] -> [8,8]": choice(), "sum {} f32[8] -> []": choice() }, keep),
    };
    const bytes = draw.damaged(utf8(draw.object(file, keep)), 0.7);
    return {
      size: bytes.length,
      run() {
        for (const { variant, ms } of withCode(() => decodeChoices(new TextDecoder().decode(bytes), OF)).values()) {
          expect(typeof variant === "string", "a variant that is no text");
          finite(Object.values(ms), "times");
        }
      },
    };
  },
};

/** The store turns every plain error of this reader into a note, and works without the file. */
function withCode<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if ((error as Error).constructor === Error) throw failure("E_FILE", (error as Error).message);
    throw error;
  }
}

const tar: FuzzedParser = {
  name: "archive of the software driver",
  factor: 8,
  make(draw) {
    const files = draw.list(3, () => {
      const content = draw.bytes(draw.below(700));
      const head = new Uint8Array(512);
      head.set(utf8(draw.text(["libvulkan.so.1", "./a"], 0.1)).subarray(0, 100));
      const size = draw.chance(0.85) ? content.length.toString(8) : draw.pick(["-1000", "-1", "", "777777777777", "9"]);
      head.set(utf8(size).subarray(0, 12), 124);
      head[156] = draw.pick([0, 48, 48, 53]);
      return joined([head, content, new Uint8Array((512 - (content.length % 512)) % 512)]);
    });
    const bytes = draw.damaged(joined([...files, new Uint8Array(512)]), 0.8);
    return {
      size: bytes.length,
      run() {
        let count = 0;
        for (const { bytes: content } of withCode(() => [...tarFiles(bytes)])) {
          expect(content.length <= bytes.length && ++count <= bytes.length / 512, "more files than there is room for");
        }
      },
    };
  },
};

const golden: FuzzedParser = {
  name: "reference cases",
  factor: 64,
  make(draw) {
    const entry = () =>
      draw.object({
        file: '"a.safetensors"',
        group: '"1-x"',
        what: '"w"',
        config: draw.json(2),
        rtol: "1e-5",
        notes: '""',
        tensors: draw.object({ x: draw.object({ dtype: '"F32"', shape: "[2]", absmax: "1", atol: "1e-6" }) }),
      });
    const manifest = utf8(draw.object({ cases: `[${draw.list(3, entry).join()}]` }));
    const tensors = safetensorsBytes(draw, [{ name: "x", dtype: draw.pick(["F32", "F64", "I64"]), shape: [2] }]);
    writeFileSync(join(memoryFolder(), "manifest.json"), draw.damaged(manifest, 0.7));
    writeFileSync(join(memoryFolder(), "a.safetensors"), tensors);
    return {
      size: manifest.length + tensors.length,
      run() {
        const found = new GoldenSet(memoryFolder()).case("a");
        for (const name of found.names()) found.f64(name);
      },
    };
  },
};

export const runParsers: readonly FuzzedParser[] = [marks, events, eventEnd, lock, tuning, tar, golden];

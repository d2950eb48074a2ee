import { sha256 } from "../../io/sha256.ts";
import type { Use } from "../config/config.ts";
import type { NamedTensors } from "../update/player.ts";

/** The parts of a config that tell teachers apart, besides weights: guidance, and the modes of a closed form. */
export interface TeacherConfig {
  readonly teacher?: Use;
  readonly process?: Use;
}

/**
 * Tells teachers apart: the SHA-256, in hexadecimal, of the plugin with its options and of every tensor it is served with, in
 * the order of names. The weights may come from the device or from a file.
 */
export async function teacherFingerprint({ teacher, process }: TeacherConfig, weights: NamedTensors): Promise<string> {
  // `schedule` is what 0.1.0 called the process; pairs that it drew stay those of their teacher.
  const lines = [JSON.stringify({ teacher, schedule: process })];
  for (const name of Object.keys(weights).sort()) {
    const { shape, data } = weights[name];
    lines.push(`${JSON.stringify(name)} [${shape.join()}] ${await sha256(data)}`);
  }
  return sha256(new TextEncoder().encode(lines.join("\n")));
}

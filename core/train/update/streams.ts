import type { Method, Turn } from "../../interfaces/method.ts";

/** Random streams per turn; no turn makes so many draws. */
const STREAMS = 2 ** 20;

/** The random stream that the real batches of a role come from. */
export const batchStream = ({ roles }: Method, role: string): number => 1 + Object.keys(roles).indexOf(role);

/** The first random stream of a turn: every role draws from a stream of its own, and from another one in turns on kept images. */
export function turnStream(method: Method, { role, images }: Turn): number {
  if (images !== "kept") return batchStream(method, role) * STREAMS;
  const all = method.stages.flatMap(({ cycle }) => cycle.flat());
  const kept = new Set(all.filter((turn) => turn.images === "kept").map((turn) => turn.role));
  return (1 + Object.keys(method.roles).length + [...kept].indexOf(role)) * STREAMS;
}

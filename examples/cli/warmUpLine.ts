import type { WarmUpProgress } from "../../backends/webgpu/mod.ts";
import type { TextStream } from "../../plugins/observers/progressDisplay.ts";

const verbs = { kernels: "compiling kernels", variants: "measuring kernels" } as const;
const CLEAR = "\r\x1b[K";

/**
 * Says on a terminal's current line how far a device is with getting ready, "compiling kernels 12/80", and clears it at the
 * end. Elsewhere it says nothing.
 */
export function warmUpLine(stream: TextStream): (progress: WarmUpProgress) => void {
  if (!stream.isTTY) return () => {};
  return ({ what, done, total }) => {
    const text = `${verbs[what]} ${done}/${total}`;
    // Back at its beginning, so that whatever is printed next replaces it.
    stream.write(done < total ? `${CLEAR}${text}\r` : CLEAR);
  };
}

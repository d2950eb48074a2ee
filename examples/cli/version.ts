import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The version in our package.json, found above this file whether it is a source, a build or a bundle. */
export function version(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  for (;;) {
    const file = join(folder, "package.json");
    if (existsSync(file)) {
      const { name, version } = JSON.parse(readFileSync(file, "utf8"));
      if (name === "onestep") return version;
    }
    const above = dirname(folder);
    if (above === folder) return "unknown";
    folder = above;
  }
}

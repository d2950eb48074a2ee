import type { SystemFacts } from "../../host/system.ts";

/** What is installed already, so that the advice leaves it out. */
export interface Present {
  /** A driver installed on the system works. */
  readonly installed?: boolean;
  /** The driver from npm works. */
  readonly fromPackage?: boolean;
}

/**
 * What to do on this system to get a device, or a faster one; one step per line. Measured are the Debian lines on
 * Debian 12 without a GPU; the lines that say so are from the vendors' documentation only.
 */
export function adviceFor(system: SystemFacts, present: Present = {}): string[] {
  if (system.platform === "browser")
    return ["use a browser with WebGPU switched on; Chromium without a GPU needs --enable-unsafe-webgpu"];
  if (system.platform === "darwin") return ["macOS brings Metal, nothing is to be installed (not measured by us)"];
  if (system.platform === "win32")
    return ["Windows brings Direct3D 12; keep the graphics driver up to date (not measured by us)"];
  if (system.platform === "linux") return linuxAdvice(system, present);
  return ["no device is known to work on this system; use --device reference"];
}

function linuxAdvice(system: SystemFacts, present: Present): string[] {
  const family = system.distribution?.family ?? [];
  const manager = managers.find(({ ids }) => ids.some((id) => family.includes(id)));
  const steps: string[] = [];
  if (family.includes("alpine"))
    steps.push("Alpine has no glibc, which Dawn's binary needs: use a Debian or Ubuntu image");
  for (const card of system.cards) steps.push(cardAdvice[card] ?? "");
  if (system.cards.some((card) => card !== "nvidia"))
    steps.push("let the user open /dev/dri: add them to the groups video and render");
  if (system.cards.length === 0)
    steps.push("no graphics card is visible here; in a container, pass one in (--device /dev/dri, --gpus all)");
  const complete = present.installed && system.cards.length === 0;
  if (!complete)
    steps.push(
      manager
        ? `Vulkan drivers, also Mesa's for the CPU: ${manager.install(system)}`
        : "install Vulkan's loader and Mesa's Vulkan drivers from your distribution",
    );
  if (system.arch === "x64" && !present.installed && !present.fromPackage)
    steps.push("a driver for the CPU without root rights, slower than Mesa's: npm i @sparticuz/chromium");
  return steps.filter(Boolean);
}

const cardAdvice: Record<string, string> = {
  nvidia:
    "NVIDIA: install its own driver with Vulkan (libnvidia-gl); in a container set NVIDIA_DRIVER_CAPABILITIES=all (not measured by us)",
  wsl: "WSL: Mesa's dzn driver reaches the Windows GPU through Direct3D 12 (not measured by us)",
};

interface Manager {
  readonly ids: readonly string[];
  install(system: SystemFacts): string;
}

const managers: readonly Manager[] = [
  { ids: ["debian", "ubuntu"], install: aptInstall },
  {
    ids: ["fedora", "rhel"],
    install: () => "dnf install mesa-vulkan-drivers vulkan-loader (not measured by us)",
  },
  {
    ids: ["arch"],
    install: () =>
      "pacman -S vulkan-icd-loader vulkan-swrast, and vulkan-radeon, vulkan-intel or nvidia-utils for the card (not measured by us)",
  },
  {
    ids: ["suse", "opensuse"],
    install: () => "zypper install libvulkan1 libvulkan_lvp Mesa-vulkan-device-select (not measured by us)",
  },
];

/** Debian 12's own Mesa 22.3 lacks what Dawn asks of a driver; its backports have one that works. */
function aptInstall({ distribution }: SystemFacts): string {
  if (distribution?.id !== "debian" || distribution.version !== "12")
    return "apt install mesa-vulkan-drivers libvulkan1";
  return (
    "apt install -t bookworm-backports mesa-vulkan-drivers libvulkan1, after adding " +
    "'deb http://deb.debian.org/debian bookworm-backports main' to /etc/apt/sources.list.d/backports.list and apt update"
  );
}

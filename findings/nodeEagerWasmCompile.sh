#!/bin/sh
# Node 24.21.0: with --no-wasm-lazy-compilation, `await WebAssembly.compile(bytes)` at the top of a module never settles: Node finds
# nothing to wait for and ends with exit status 13 ("unsettled top-level await"). A compilation in the background does not hold the
# event loop. A timer that is running meanwhile does, and the same program ends well; so it does without the flag, and on Node 20.20.2.
#
# Seen on Linux x64 with a valid module of 3,000 functions (4.2 MB).
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund node24@npm:node@24.21.0 node20@npm:node@20.20.2 >/dev/null
new=$(find node_modules/node24 node_modules/node-bin* node_modules -path '*24*' -name node -type f -perm -u+x 2>/dev/null | head -1)
new=${new:-node_modules/node24/bin/node}
old=node_modules/node20/bin/node

cat > compile.mjs <<'JS'
const leb = (n) => {
  const out = [];
  for (;;) {
    const low = n & 127;
    n >>>= 7;
    if (n === 0) return [...out, low];
    out.push(low | 128);
  }
};
const section = (id, body) => [id, ...leb(body.length), ...body];
// x + 1, two hundred times.
const steps = Array.from({ length: 200 }, () => [0x20, 0, 0x41, 1, 0x6a, 0x21, 0]).flat();
const body = [0, ...steps, 0x20, 0, 0x0b];
const count = 3000;
const code = [];
for (let i = 0; i < count; i++) code.push(...leb(body.length), ...body);
const bytes = Uint8Array.from([
  ...[0, 97, 115, 109, 1, 0, 0, 0],
  ...section(1, [1, 0x60, 1, 0x7f, 1, 0x7f]),
  ...section(3, [...leb(count), ...new Array(count).fill(0)]),
  ...section(10, [...leb(count), ...code]),
]);
const timer = process.argv[2] === "timer" ? setInterval(() => {}, 1000) : undefined;
await WebAssembly.compile(bytes);
clearInterval(timer);
console.log("compiled");
JS

expect() {
  wanted=$1
  shift
  status=0
  said=$("$@" 2>/dev/null) || status=$?
  echo "$status ${said:-nothing}: $*"
  [ "$status" = "$wanted" ] || { echo "changed: exit status $status, was $wanted"; exit 1; }
}
"$new" --version
expect 0 "$new" compile.mjs
expect 13 "$new" --no-wasm-lazy-compilation compile.mjs
expect 0 "$new" --no-wasm-lazy-compilation compile.mjs timer
"$old" --version
expect 0 "$old" --no-wasm-lazy-compilation compile.mjs
echo "as it was"

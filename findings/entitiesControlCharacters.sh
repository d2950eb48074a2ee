#!/bin/sh
# npm entities 8.1.0 and Python's html.unescape read the same references of HTML differently where a number stands for a control
# character or for a code point that Unicode keeps free: entities gives the character, Python gives nothing. Both follow HTML for the
# rest (128 to 159 as Windows-1252, surrogates and numbers beyond Unicode as U+FFFD). CLIP's tokenizer unescapes prompts with Python's
# function, twice, so a port on entities makes other tokens of such a prompt.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund entities@8.1.0 >/dev/null
cat > cases.json <<'JSON'
["&#1;", "&#11;", "&#14;", "&#127;", "&#xFDD0;", "&#x10FFFF;", "&#128;", "&#0;", "&#xD800;", "&#x110000;", "&amp", "&notit;"]
JSON
cat > read.mjs <<'JS'
import { readFileSync } from "node:fs";
import { decodeHTML } from "entities";
const codes = (text) => Array.from(text, (sign) => sign.codePointAt(0).toString(16)).join(" ");
console.log(JSON.parse(readFileSync("cases.json", "utf8")).map((each) => codes(decodeHTML(each))).join("|"));
JS
cat > read.py <<'PY'
import html, json
print("|".join(" ".join("%x" % ord(sign) for sign in html.unescape(each)) for each in json.load(open("cases.json"))))
PY
js=$(node read.mjs)
py=$(python3 read.py)
echo "entities  $js"
echo "Python    $py"
[ "$js" = "1|b|e|7f|fdd0|10ffff|20ac|fffd|fffd|fffd|26|ac 69 74 3b" ] || { echo "entities has changed"; exit 1; }
[ "$py" = "||||||20ac|fffd|fffd|fffd|26|ac 69 74 3b" ] || { echo "Python has changed"; exit 1; }
echo "as it was"

/** The look of a page, light or dark as the reader's system is, from 380 pixels on. */
export const STYLE = `:root { --ink: #1b1d21; --soft: #5b616b; --paper: #fff; --card: #f5f6f8; --line: #d9dce1; --link: #0b57a4;
  --warn: #8a5300; --severe: #b3261e; color-scheme: light dark; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e8eb; --soft: #a2a9b4; --paper: #14161a; --card: #1d2026;
  --line: #363b44; --link: #7db7f5; --warn: #f0b35a; --severe: #ff8a80; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 72rem; padding: 1rem; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif; overflow-wrap: break-word; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .5rem; }
h2 { font-size: 1.2rem; margin: 2rem 0 .5rem; padding-top: .5rem; border-top: 1px solid var(--line); }
p { margin: .4rem 0; max-width: 46rem; }
a { color: var(--link); }
nav ul { display: flex; flex-wrap: wrap; gap: .2rem 1rem; list-style: none; margin: .6rem 0; padding: 0; }
figure { margin: 0; }
figcaption, .about, .notes, footer { color: var(--soft); font-size: .875rem; }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 20rem), 1fr)); gap: 1.2rem; }
.charts figcaption { color: var(--ink); font-weight: 600; }
.charts svg { display: block; width: 100%; height: auto; }
.legend { display: flex; flex-wrap: wrap; gap: .1rem 1rem; list-style: none; margin: .2rem 0; padding: 0; font-size: .875rem; }
.legend span { display: inline-block; width: .9rem; height: .25rem; margin-right: .35rem; vertical-align: middle; }
.notes { margin: .3rem 0; padding-left: 1.1rem; }
.groups { display: flex; flex-wrap: wrap; gap: .8rem; align-items: flex-start; }
.group { background: var(--card); border: 1px solid var(--line); border-radius: .4rem; padding: .5rem; max-width: 100%; }
.pictures { display: flex; flex-wrap: wrap; gap: .5rem; }
.pictures img { display: block; max-width: 100%; height: auto; }
.pictures img.small { image-rendering: pixelated; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .7rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
thead th { border-bottom: 2px solid var(--line); white-space: nowrap; }
.number { text-align: right; white-space: nowrap; }
.best { font-weight: 700; }
.quoted { color: var(--soft); font-style: italic; }
caption { text-align: left; color: var(--soft); padding-bottom: .3rem; }
.settings { width: auto; }
.settings th { font-weight: 400; white-space: nowrap; color: var(--soft); }
.settings td { overflow-wrap: anywhere; min-width: 8rem; }
details { margin: .3rem 0; }
summary { cursor: pointer; }
code, pre { font: .875rem/1.5 ui-monospace, monospace; }
pre { background: var(--card); border: 1px solid var(--line); border-radius: .4rem; padding: .5rem .7rem; overflow-x: auto; margin: .4rem 0; }
.warnings { list-style: none; margin: .4rem 0; padding: 0; }
.warnings li { border-left: .25rem solid var(--warn); background: var(--card); padding: .4rem .7rem; margin: .4rem 0; }
.warnings li.severe { border-color: var(--severe); }
.warnings strong { color: var(--warn); }
.warnings .severe strong { color: var(--severe); }
footer { margin-top: 2rem; border-top: 1px solid var(--line); }
@media print { nav { display: none; } .group, figure { break-inside: avoid; } }
`;

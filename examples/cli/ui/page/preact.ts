/** The one door of `preact` and `htm`: the page is made of functions that give `html`. */
export { html, render } from "htm/preact";
export type { VNode } from "preact";
export { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";

/** A thread of the wasm backend, as a file: the policy of this page forbids workers that are made of text. */
import { serveThread } from "../../backends/wasm/threads/thread.ts";

serveThread();

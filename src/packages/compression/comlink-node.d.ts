/** Declares the types of this module, because TypeScript does not find the package's own types. */
declare module "comlink/dist/esm/node-adapter.mjs" {
  import type { Worker } from "node:worker_threads";
  import type { Endpoint } from "comlink";

  export default function nodeEndpoint(worker: Worker): Endpoint;
}

/** For browsers, which have no `Buffer`: `build/page.mjs` puts it wherever one is named. */
export { Buffer } from "buffer/index.js";

/** Words and limits by which keepers are told what was found, as the command line uses them. */
export { describeGenerations } from "../keys/cut-off-clients.ts";
export { usualWarning } from "../keys/ends-ahead.ts";
export { type Algorithm, algorithms } from "../openpgp/secret/generate.ts";
export { changesAnything } from "../publish/publish-plan.ts";
export { scopeText } from "../trust/delegation.ts";

/** The texts and limits that the command line needs for its output to keepers. */
export { describeGenerations } from "../keys/cut-off-clients.ts";
export { usualWarning } from "../keys/ends-ahead.ts";
export { type Algorithm, algorithms } from "../openpgp/secret/generate.ts";
export { changesAnything } from "../publish/publish-plan.ts";
export { told } from "../publish/upload/with-upload.ts";
export { scopeText } from "../trust/delegation.ts";

/** Plans a step of a rotation. The plan uses the same checks and the same publishing code as the step. */
import type { FeedkeyError } from "../../error.ts";
import type { Algorithm } from "../../openpgp/secret/generate.ts";
import type { ArchiveFeed } from "../../profile/types.ts";
import { type Archive, ownCertificate } from "../../publish/archive.ts";
import { severalOf } from "../../publish/feed-signers.ts";
import type { Published } from "../../publish/publish.ts";
import { certifications } from "../../signing/rotation-state.ts";
import type { OwnCertificate } from "../../signing/signing-key.ts";
import { successorAlgorithm } from "../../signing/successor-algorithm.ts";
import { type Duration, roughly } from "../../time.ts";
import type { Fingerprint } from "../../trust/facts.ts";
import { checkAbandon } from "../revoke.ts";
import { wasCutOffFinishing } from "../rotate.ts";
import {
  checkFinish,
  checkStart,
  publishWithPresent,
  refuseForeignFiles,
  refuseInGnupg,
  switchedTo,
} from "./rotation-checks.ts";
import { publishShared, sharedFeeds, signedWords } from "./shared-feeds.ts";
import { type RotationStatus, refuseRetiring, rotationStatus } from "./take-rotation.ts";

/** The choices of the caller for a rotation. Durations are in milliseconds. */
export interface RotationChoice {
  /** The step to take; `begin` by default. */
  readonly step?: "begin" | "finish" | "at-once" | "abandon" | undefined;
  /** A key in the key store that becomes the successor, instead of a new key. */
  readonly to?: Fingerprint | undefined;
  /** The algorithm of a new key. The default is Ed25519, or RSA if the archive has a pkgsrc feed and the present key is RSA. */
  readonly algorithm?: Algorithm | undefined;
  /** How long the present key and the new key are both in use; 30 days by default. */
  readonly overlap?: Duration | undefined;
  /** Folder for copies of the new key's revocation certificates. */
  readonly backup?: string | undefined;
  /** After `finish`, revoke the old key as superseded. This is refused if some clients would accept no key any more. */
  readonly retire?: boolean | undefined;
  /** Continue without a backup, before the overlap ends, or although some clients would accept no key any more. */
  readonly force?: boolean | undefined;
}

/** The plan of a step. */
export interface RotationPlan extends RotationStatus {
  /** Keys that must acknowledge the successor, and that the successor must acknowledge. */
  readonly rivals: readonly Fingerprint[];
  /** The algorithm of a new successor. */
  readonly algorithm: Algorithm;
  /** Sentences that describe the actions in their order. The actions on key servers come last. */
  readonly steps: readonly string[];
  /** One error for each feed whose index would not get the new signature, with the reason. */
  readonly errors: readonly FeedkeyError[];
}

const toServers = "to the key servers and read";

/** Plans the first step. */
async function planBegin(archive: Archive, choice: RotationChoice, to: string) {
  const { config, at } = archive;
  const { force = false, backup, overlap = 30 * 86_400_000 } = choice;
  const { state, rivals, isBundleOld } = await checkStart(archive, { to: choice.to, force });
  const present = state.present.raw.fingerprint;
  const isNew = state.successor === undefined && choice.to === undefined;
  const back = isNew ? [] : certifications(state.present.facts, to, config.userId, at);
  const isChanged = isBundleOld || state.successor === undefined || back.length === 0 || rivals.length > 0;
  const steps = [
    ...(isNew ? [`make ${to}, called "${config.userId}"`] : []),
    ...(backup === undefined ? [] : [`copy its revocation certificates to ${backup}`]),
    ...(state.successor === undefined ? [`let ${present} certify ${to}`] : []),
    ...(back.length === 0 ? [`let ${to} certify ${present} for ${roughly(overlap)}`] : []),
    ...rivals.map(({ certificate }) => `let ${certificate.raw.fingerprint} and ${to} acknowledge each other`),
  ];
  const shared =
    state.successor === undefined ? await wouldShare(archive, choice, to) : await planShared(archive, state.successor);
  const bundle = isChanged ? ["write both keys into the key bundle"] : [];
  steps.push([...bundle, ...shared, `send both keys ${toServers} them back`].join(", "));
  return { steps, rivals: rivals.map(({ certificate }) => certificate.raw.fingerprint) };
}

/** Describes what the first step signs if the present key has already certified the successor. */
async function planShared(archive: Archive, successor: OwnCertificate): Promise<string[]> {
  return signedWords(await publishShared(archive, [successor], true), "sign");
}

/** Describes what the first step would sign if the successor is not certified yet, or does not exist yet. */
async function wouldShare(archive: Archive, choice: RotationChoice, to: string): Promise<string[]> {
  if (!(await isShareable(archive, choice))) return [];
  const present = archive.config.key.fingerprint;
  return sharedFeeds(archive).map((feed) => signingWords(feed, to, present, present));
}

/** Whether the present key and a new key may sign one file. */
async function isShareable({ config, store }: Archive, { to, algorithm }: RotationChoice): Promise<boolean> {
  const versions = [config.key.fingerprint, ...(to === undefined ? [] : [to])];
  for (const name of versions) if ((await ownCertificate(store, name)).facts.primary.version === 6) return false;
  return to !== undefined || algorithm !== "ed25519-v6";
}

/** Describes which keys sign a feed. @param present the key that signs every feed */
function signingWords(feed: ArchiveFeed, newer: string, older: string, present: string): string {
  const other = present === newer ? older : newer;
  const keys = { one: [present], any: [older, newer], last: [other, present] }[severalOf(feed)];
  return `sign feed "${feed.name}" with ${keys.join(" and ")}`;
}

/** Describes what the second step signs. @param made a successor that does not exist yet, and whether this successor signs alone */
function signing(
  published: Published,
  from: string,
  made: { readonly to: string; readonly alone: boolean } | undefined,
): string[] {
  const { plans, delegated } = published;
  const words = made && plans.map(({ feed }) => signingWords(feed, made.to, made.alone ? made.to : from, made.to));
  return [
    ...(words ?? signedWords(published, "sign")),
    ...delegated.map(({ feed, delegate }) => `leave feed "${feed}" signed by its delegate ${delegate}`),
  ];
}

/** Describes what is signed again when the old key is retired. */
function resigned({ plans }: Published, to: string): string[] {
  const shared = plans.filter(({ feed }) => severalOf(feed) !== "one");
  return shared.map(({ feed }) => `sign feed "${feed.name}" with ${to} alone`);
}

/** Plans the second step. If no successor exists yet, the plan assumes that the first step takes place in the same run. */
async function planFinish(archive: Archive, choice: RotationChoice, to: string, isBegun: boolean) {
  const { force = false, retire = false, step } = choice;
  if (retire) await refuseRetiring(archive, force);
  const found = isBegun ? await checkFinish(archive, force || step === "at-once") : undefined;
  const isSwitched = found?.isSwitched === true;
  const from = found?.from ?? (await ownCertificate(archive.store, archive.config.key.fingerprint));
  const signer = found?.to.raw.fingerprint ?? archive.config.key.fingerprint;
  const published = await publishWithPresent(switchedTo(archive, signer), from, true);
  if (!isSwitched) refuseForeignFiles(published);
  const old = from.raw.fingerprint;
  const isRetired = retire && published.left.length === 0;
  return {
    steps: [
      ...(isSwitched ? [] : [`archive.ini: key = ${to}`]),
      // A new successor has not signed any feed, so the plan lists all feeds.
      ...signing(
        published,
        old,
        found === undefined ? { to, alone: !(await isShareable(archive, choice)) } : undefined,
      ),
      ...(isRetired ? [`revoke ${old} as superseded`, ...resigned(published, to)] : []),
      ...(published.bundle.length > 0 || isRetired ? ["write the key bundle"] : []),
      `send both keys ${toServers} them back`,
    ],
    errors: published.left,
  };
}

/** Plans the withdrawal of a successor. */
async function planAbandon(archive: Archive): Promise<string[]> {
  const { present, successor, isCertified, isRevoked, isBundleOld } = await checkAbandon(archive);
  const { fingerprint } = successor.raw;
  return [
    ...(isCertified ? [`let ${present} withdraw its certification of ${fingerprint}`] : []),
    ...(isRevoked ? [] : [`revoke ${fingerprint} as retired`]),
    `${isBundleOld || isCertified || !isRevoked ? "write the key bundle, " : ""}send ${fingerprint} ${toServers} it back`,
  ];
}

/**
 * Plans a step. This changes nothing and opens no secret key.
 * @throws FeedkeyError as the step itself does, except when there is no backup, and when only opening a secret key shows the error
 */
export async function planRotation(archive: Archive, choice: RotationChoice): Promise<RotationPlan> {
  const { step = "begin", force = false } = choice;
  const chosen = choice.to === undefined ? undefined : await archive.store.resolve(choice.to);
  if (step === "begin" || step === "at-once") refuseInGnupg(archive);
  const status = await rotationStatus(archive);
  const present = await ownCertificate(archive.store, archive.config.key.fingerprint);
  const isForced = force || chosen !== undefined || step === "finish" || step === "abandon";
  const algorithm = successorAlgorithm(archive.config, present, archive.at, choice.algorithm, isForced);
  if (step === "abandon") return { ...status, algorithm, rivals: [], steps: await planAbandon(archive), errors: [] };
  const isBegun = step === "finish" || (step === "at-once" && (await wasCutOffFinishing(archive)));
  const to = status.successor ?? (isBegun ? status.present : undefined) ?? chosen ?? `a new ${algorithm} key`;
  const begin = isBegun ? { steps: [], rivals: [] } : await planBegin(archive, { ...choice, to: chosen }, to);
  const isThere = isBegun || status.successor !== undefined;
  const finish = step === "begin" ? { steps: [], errors: [] } : await planFinish(archive, choice, to, isThere);
  return {
    ...status,
    algorithm,
    rivals: begin.rivals,
    errors: finish.errors,
    steps: [...begin.steps, ...finish.steps],
  };
}

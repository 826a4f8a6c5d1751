/** What the second judge found, each as a small graph of its own. */
import { expect } from "chai";
import type { SubkeyFacts } from "../../src/trust/facts.ts";
import { judge } from "../../src/trust/judge.ts";
import { refuseSubkey } from "../../src/trust/key-state.ts";
import { buildGraph, fingerprintOf, reversed } from "./build-graph.ts";
import type { Change, GraphPlan, Link, Nth, SelfTraits } from "./graph-plan.ts";
import { at, daysAgo } from "./moments.ts";

function links(...pairs: readonly (readonly [Nth, Nth])[]): Link[] {
  return pairs.map(([issuer, key]) => ({ issuer, key, at: daysAgo(300), expired: false }));
}

const quiet: GraphPlan = {
  size: 2,
  identity: { kind: "user-email", email: "archive@example.org" },
  links: links([0, 1]),
  changes: [],
  seeds: [0],
  retiredIssuers: "refuse",
  accepted: [],
  unchecked: [],
  turn: 0,
};

const [seed, successor] = [fingerprintOf(0), fingerprintOf(1)];

const selfTraits: SelfTraits = {
  createdAt: daysAgo(350),
  expiresAt: undefined,
  keyExpiresAt: undefined,
  flags: { certify: true, sign: true },
  hash: "sha256",
  unknownCritical: false,
  exportable: true,
};

describe("found by the second judge", () => {
  describe("self-signatures of one second", () => {
    function selfSigned(flags: SelfTraits["flags"]): Change {
      return { kind: "self-signature", key: 0, userId: 0, traits: { ...selfTraits, flags }, instead: false };
    }
    const changes = [selfSigned({ certify: true, sign: true }), selfSigned({ certify: false, sign: true })];

    it("allow what all of them allow, whichever comes first", () => {
      const input = buildGraph({ ...quiet, changes });
      for (const either of [input, reversed(input)]) expect([...judge(either).trusted.keys()]).to.deep.equal([seed]);
      expect(judge(buildGraph({ ...quiet, changes: changes.slice(0, 1) })).trusted.has(successor)).to.equal(true);
    });

    it("bind a signing subkey if all let it sign and one holds its back-signature, whichever comes first", () => {
      const [certificate] = buildGraph({ ...quiet, changes: changes.slice(0, 1) }).certificates;
      const binding = certificate?.userIds[0]?.selfSignatures[1];
      const subkey = certificate?.subkeys[0];
      if (binding === undefined || subkey === undefined) throw new Error("the graph has no such signature or subkey");
      const complete = { ...binding, backSignature: binding };
      const noSigning = { ...complete, flags: { certify: false, sign: false } };
      const refused = (...bindings: SubkeyFacts["bindings"]) => refuseSubkey({ ...subkey, bindings }, at)?.reason ?? "";
      expect(refused(complete)).to.equal("");
      for (const pair of [[complete, binding] as const, [binding, complete] as const])
        expect(refused(...pair)).to.equal("");
      for (const pair of [[complete, noSigning] as const, [noSigning, complete] as const]) {
        expect(refused(...pair)).to.match(/is not for signing/);
      }
      expect(refused(binding)).to.match(/no back-signature/);
    });
  });

  it("the path to a key that is accepted because of a later one goes in no circle", () => {
    // 1 and 2 are rivals; both lead to 4, and over it to 3, from which 4 is reached as well.
    const plan = { ...quiet, size: 5, links: links([0, 1], [0, 2], [1, 4], [2, 4], [4, 3], [3, 4]) };
    const { trusted } = judge(buildGraph(plan));
    expect(trusted.get(fingerprintOf(3))?.via).to.deep.equal([0, 1, 4].map((key) => fingerprintOf(key)));
    expect(trusted.get(fingerprintOf(4))?.via).to.deep.equal([0, 1].map((key) => fingerprintOf(key)));
  });
});

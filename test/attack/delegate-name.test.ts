// Attack: one key server of many hangs the archive's user ID on copies of a delegate's certificate, to have it refused.
import { expect } from "chai";
import { archiveId, certificate } from "../testkit/certificate.ts";
import { day } from "../testkit/dates.ts";
import { codeOf, judged, verdict } from "../testkit/judging.ts";
import { ed25519Key } from "../testkit/keys.ts";
import { certification, dataSignature } from "../testkit/signature.ts";
import { notation } from "../testkit/subpackets.ts";

const [master, machine, stranger] = ["master", "machine", "stranger"].map((name) => ed25519Key(`claimed-${name}`)) as [
  ReturnType<typeof ed25519Key>,
  ReturnType<typeof ed25519Key>,
  ReturnType<typeof ed25519Key>,
];
const machineId = "Machine <machine@build.example.org>";
const data = Buffer.from("Package: a\n");
const delegation = certification({
  by: master,
  of: machine,
  userId: machineId,
  at: day(10),
  expiresAfter: 100 * 86_400,
  hashed: [notation("delegate@example.org", "depth=0; feeds=*")],
});

async function code(self: boolean): Promise<string> {
  const byStranger = certification({ by: stranger, of: machine, userId: archiveId, at: day(11) });
  const delegate = certificate({
    key: machine,
    userIds: [
      { userId: machineId, signatures: [delegation] },
      { userId: archiveId, self, signatures: [byStranger] },
    ],
  });
  const certificates = [certificate({ key: master }), delegate, certificate({ key: stranger })];
  const trust = await judged({ certificates, at: day(50) });
  return codeOf(await verdict(trust, data, [dataSignature({ by: machine, at: day(40), data })]));
}

describe("attack: the archive's user ID on a delegate", () => {
  it("refuses a delegate that says so itself", async () => {
    expect(await code(true)).to.equal("untrusted_signer");
  });

  it("does not mind what others hang on its certificate", async () => {
    expect(await code(false)).to.equal("good");
  });
});

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import type { Answer } from "../../src/keyserver/answer.ts";
import { lookup, search, submit } from "../../src/keyserver/hkp.ts";
import { createTransport } from "../../src/net/transport.ts";
import { isAbout } from "../../src/openpgp/certificate/is-about-key.ts";
import { armor, dearmor } from "../../src/openpgp/packet/armor.ts";
import { about, keyA, keyB, keyC, subjects } from "../testkit/servers/about.ts";
import {
  type Behaviour,
  flood,
  type Leaf,
  type MisbehavingServer,
  plain,
  raw,
  startMisbehaving,
  stuckAfter,
  tlsFile,
} from "../testkit/servers/misbehaving-server.ts";

const transport = createTransport({ ca: tlsFile("ca.pem"), env: {} });
const options = { transport };

function vector(name: string): Buffer {
  return readFileSync(join("test/vectors/keyserver-answers", name));
}

function subjectsOf(answer: Answer): string[] {
  return answer.outcome === "found" ? answer.blocks.flatMap(subjects) : [answer.outcome];
}

describe("key server client", () => {
  let server: MisbehavingServer;
  const address = () => new URL(`hkps://localhost:${server.port}`);
  const start = async (behaviour: Behaviour, leaf: Leaf = "good") => {
    server = await startMisbehaving({ "/pks/lookup": behaviour, "/pks/add": behaviour }, leaf);
  };
  afterEach(() => server?.close());
  after(() => transport.close());

  const ask = async (behaviour: Behaviour, fingerprint = keyC, leaf: Leaf = "good", within = 3000) => {
    await start(behaviour, leaf);
    return lookup(address(), fingerprint, about(fingerprint), { ...options, within });
  };
  const reason = (answer: Answer) => (answer.outcome === "unknown" ? answer.error.details.reason : answer.outcome);

  it("asks by the whole fingerprint, with 0x", async () => {
    await ask(plain(200, vector("hagrid-verified-C.asc")));
    expect(server.requests[0]).to.match(
      new RegExp(`^GET /pks/lookup\\?op=get&options=mr&search=0x${keyC} HTTP/1.1\r\n`),
    );
  });

  const answers: [string, string, string[]][] = [
    ["hagrid-revoked-B.asc", keyB, [keyB]],
    ["hagrid-unverified-C.asc", keyC, [keyC]],
    ["hagrid-verified-C.asc", keyC, [keyC]],
    ["hockeypuck-bin-hard-revoked-B.pgp", keyB, [keyB]],
    ["hockeypuck-hard-revoked-B.asc", keyB, [`revocation of ${keyB}`]],
    ["onak-mr.txt", keyC, [keyC]],
    ["onak-not-found-200.txt", keyC, ["absent"]],
    ["sks-filtered-200-empty.txt", keyC, ["unknown"]],
  ];
  for (const [name, fingerprint, outcome] of answers) {
    it(`reads ${name}`, async () => {
      expect(
        subjectsOf(await ask(plain(200, vector(name), { "content-type": "text/html" }), fingerprint)),
      ).to.deep.equal(outcome);
    });
  }

  it("drops blocks about other keys, broken ones, and what recognising stumbles over", async () => {
    const asc = (name: string) => vector(name).toString();
    const broken = asc("hagrid-unverified-C.asc").replace(/rz67Rbas=/, "!");
    const body = `<p>hello</p>${asc("hagrid-revoked-B.asc")}\r\n${broken}${asc("hagrid-verified-C.asc")}`;
    expect(subjectsOf(await ask(plain(200, body)))).to.deep.equal([keyC]);
    const fussy = await lookup(
      address(),
      keyC,
      (block) => {
        if (subjects(block).includes(keyB)) throw new Error("cannot bear it");
        return true;
      },
      options,
    );
    expect(subjectsOf(fussy)).to.deep.equal([keyC]);
  });

  it("takes 404 for absent", async () => {
    expect(await ask(plain(404, "<h1>No results found</h1>"))).to.deep.equal({ outcome: "absent", how: "status 404" });
  });

  const html = "<html><head><title>Log in</title></head><body>Welcome to the hotel. Key not found</body></html>";
  const unknown: [string, Behaviour, string][] = [
    ["another key", plain(200, vector("hagrid-verified-C.asc")), "protocol"],
    ["a page with 200", plain(200, html), "protocol"],
    ["an error of onak's with 200", plain(200, "Error: No key to search for supplied.\n"), "protocol"],
    ["not only the words for absent", plain(200, "<b>Key not found</b>"), "protocol"],
    ["nothing with 200", plain(200, ""), "protocol"],
    ["status 500", plain(500, "Error handling request"), "http"],
    ["status 403", plain(403, ""), "http"],
    ["status 410", plain(410, ""), "http"],
    ["5 GB announced", stuckAfter("HTTP/1.1 200 OK\r\ncontent-length: 5368709120\r\n\r\n"), "too_large"],
    ["bytes without end", flood("HTTP/1.1 200 OK\r\n\r\n"), "too_large"],
    ["a cut-off body", raw("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nKey not"), "cut_off"],
    ["no HTTP", raw("SSH-2.0-OpenSSH_9.2\r\n"), "protocol"],
    ["a redirect to http", plain(302, "", { location: "http://localhost/pks/lookup" }), "redirect"],
    ["a redirect to another host", plain(302, "", { location: "https://evil.example/" }), "redirect"],
    ["a redirect to a file", plain(302, "", { location: "file:///etc/passwd" }), "redirect"],
    ["a redirect within the server", plain(307, "", { location: "/elsewhere" }), "redirect"],
  ];
  for (const [what, behaviour, expected] of unknown) {
    it(`takes ${what} for unknown`, async () => {
      expect(reason(await ask(behaviour, keyB))).to.equal(expected);
      expect(server.requests).to.have.length(1);
    });
  }

  it("takes the beginning of an answer that is too long for a source, and for unknown", async () => {
    const known = vector("hagrid-verified-C.asc").toString();
    const binary = dearmor(Buffer.from(known), "PUBLIC KEY BLOCK")[0] ?? new Uint8Array();
    const flooded = Buffer.concat([binary, Buffer.alloc(4 * 1024 * 1024, Buffer.of(0xc2, 1, 0))]);
    for (const body of [armor(flooded, "PUBLIC KEY BLOCK"), flooded, `${known}${"junk\n".repeat(1_000_000)}`]) {
      await start(plain(200, body));
      for (const [key, count] of [
        [keyC, 1],
        [keyB, 0],
      ] as const) {
        const answer = await lookup(address(), key, isAbout(key), options);
        expect(reason(answer)).to.equal("too_large");
        expect(answer.outcome === "unknown" && answer.blocks).to.have.length(count);
      }
      await server.close();
    }
  });

  describe("takes an answer that breaks off for a source, and for unknown", () => {
    const known = vector("hagrid-verified-C.asc").toString();
    const other = vector("hagrid-revoked-B.asc").toString();
    const binary = dearmor(Buffer.from(known), "PUBLIC KEY BLOCK")[0] ?? new Uint8Array();
    const lines = known.split("\n");
    const cutArmor = (count: number) => lines.slice(0, lines.length - count).join("\n");
    for (const [what, body] of [
      ["binary, in its last packet", binary.subarray(0, -1)],
      ["binary, in a packet's header", Buffer.concat([binary, Uint8Array.of(0xc2)])],
      ["binary, in a packet's length", Buffer.concat([binary, Uint8Array.of(0xc2, 0xff, 0, 0)])],
      ["binary, with a packet of unknown length", Buffer.concat([binary, Uint8Array.of(0x8b, 1, 2, 3)])],
      ["binary, with something behind it", Buffer.concat([binary, Uint8Array.of(0x20, 0x20)])],
      ["in armor that is whole", armor(binary.subarray(0, -1), "PUBLIC KEY BLOCK")],
      ["before the end of the armor", cutArmor(2)],
      ["in the middle of the armor", cutArmor(4)],
      ["in a second block", `${known}\n${other.slice(0, other.length >> 1)}`],
      ["with the beginning of a second block", `${known}-----BEGIN PGP PUBLIC KEY BLOCK-----\n`],
      ["in a block about another key", `${known}\n${armor(Buffer.of(0xc2, 9, 4), "PUBLIC KEY BLOCK")}`],
    ] as const) {
      it(what, async () => {
        await start(plain(200, body));
        const answer = await lookup(address(), keyC, isAbout(keyC), options);
        expect(reason(answer)).to.equal("cut_off");
        expect(answer.outcome === "unknown" && answer.blocks).to.have.length(1);
      });
    }

    it("but not one that is whole, whatever stands around it", async () => {
      for (const body of [known, `<pre>${known}</pre>`, binary, `${known}\nThe end.\n${other}`]) {
        await start(plain(200, body));
        expect((await lookup(address(), keyC, isAbout(keyC), options)).outcome).to.equal("found");
        await server.close();
      }
    });
  });

  for (const leaf of ["wrong-name", "stranger", "expired"] as const) {
    it(`takes a ${leaf} TLS certificate for unknown`, async () => {
      expect(reason(await ask(plain(404, ""), keyC, leaf))).to.equal("tls");
    });
  }

  it("takes silence for unknown", async () => {
    expect(reason(await ask(() => {}, keyC, "good", 200))).to.equal("timeout");
  });

  it("tells a server's own words escaped", async () => {
    const answer = await ask(plain(500, "<h1>Bad\u001b[2J</h1><script>alert(1)</script> things"));
    if (answer.outcome !== "unknown") throw new Error(answer.outcome);
    expect(answer.error.message).to.match(/answered 500: "Bad\\x1b\[2J things"$/);
  });

  describe("that asks for patience", () => {
    const inTurn = (...behaviours: Behaviour[]): Behaviour => {
      let turn = 0;
      return (socket, request) => behaviours[Math.min(turn++, behaviours.length - 1)]?.(socket, request);
    };
    const busy = (retry: string, date = "Mon, 23 Nov 2026 12:00:00 GMT") =>
      plain(429, "", { "retry-after": retry, date });
    const good = plain(200, vector("hagrid-verified-C.asc"));

    it("is asked again, twice at most", async () => {
      expect(subjectsOf(await ask(inTurn(busy("0"), plain(503, "", { "retry-after": "0" }), good)))).to.deep.equal([
        keyC,
      ]);
      expect(server.requests).to.have.length(3);
      await server.close();
      expect(reason(await ask(busy("0")))).to.equal("http");
      expect(server.requests).to.have.length(3);
    });

    it("may say a date, which counts from its own clock", async () => {
      expect(subjectsOf(await ask(inTurn(busy("Mon, 23 Nov 2026 12:00:00 GMT"), good)))).to.deep.equal([keyC]);
    });

    it("is not waited for beyond the deadline, nor guessed at", async () => {
      for (const retry of ["60", "999999999", "Mon, 23 Nov 2026 13:00:00 GMT", "soon", "-1", "1e9"]) {
        expect(reason(await ask(busy(retry))), retry).to.equal("http");
        expect(server.requests, retry).to.have.length(1);
        await server.close();
      }
    });
  });

  it("refuses addresses without TLS, except on this computer", async () => {
    const never = () => false;
    for (const text of ["hkp://keys.example", "http://keys.example", "ftp://keys.example", "hkps://a/b", "hkps:///x"]) {
      const answer = await lookup(new URL(text), keyC, never, options);
      expect(answer.outcome === "unknown" && answer.error.hint, text).to.match(/correct the key server's address/);
    }
    server = await startMisbehaving({ "/pks/lookup": plain(404, "") });
    const local = await lookup(new URL(`hkp://127.0.0.1:${server.port}`), keyC, never, options);
    expect(local.outcome).to.equal("absent");
  });

  it("finds keys by address", async () => {
    await start(plain(200, vector("hockeypuck-email-search.asc")));
    const answer = await search(address(), "archive+x@feed.example", options);
    expect(subjectsOf(answer)).to.deep.equal([`revocation of ${keyB}`, keyA, keyC]);
    expect(server.requests[0]).to.include("search=archive%2Bx%40feed.example ");
  });

  it("submits in the one form that all servers take", async () => {
    await start(plain(200, "ok"));
    expect(await submit(address(), "-----BEGIN\n+/=&", options)).to.deep.equal({ ok: true });
    expect(server.requests[0]).to.match(/^POST \/pks\/add HTTP/);
    expect(server.requests[0]).to.match(/content-type: application\/x-www-form-urlencoded\r\n/i);
    expect(server.requests[0]).to.match(/\r\n\r\nkeytext=-----BEGIN%0A%2B%2F%3D%26$/);
  });

  it("tells a submission that failed", async () => {
    await start(plain(413, "too large"));
    const result = await submit(address(), "x", options);
    expect(!result.ok && result.error.message).to.match(/answered 413: "too large"$/);
    const refused = await submit(new URL("hkp://keys.example"), "x", options);
    expect(refused.ok).to.equal(false);
  });
});

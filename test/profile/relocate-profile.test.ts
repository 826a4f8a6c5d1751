/** A profile that moves: three lines change, and nothing else. */
import { expect } from "chai";
import { relocateProfile } from "../../src/profile/relocate-profile.ts";
import { refusal } from "../testkit/refusal.ts";
import { file, profileText } from "./sample-profile.ts";

const places = { keyring: "keyrings/here", ca: "ca/here.pem", keyserverCa: "ca/here-keyservers.pem" };

describe("profile/relocate-profile", () => {
  it("changes the lines of the files that it names, and keeps all others", () => {
    const text = [
      "\ufeff; from the installer",
      "[archive]",
      'name = "a ; name"  ; said so',
      "url=https://a.example",
      "user-email = a@a.example",
      "ca = /elsewhere/ca.pem ; ours",
      "[variables]",
      "keyring = not this one",
      "[trust]",
      `  keyring\t=  "/elsewhere/key ring"`,
      "keyservers = hkps://a.example",
      "keyserver-ca = other.pem",
      "seeds =",
      "",
    ];
    for (const end of ["\n", "\r\n"]) {
      const moved = relocateProfile(text.join(end), file, places).split(end);
      const expected = [...text];
      expected[5] = "ca = ca/here.pem";
      expected[9] = "keyring = keyrings/here";
      expected[11] = "keyserver-ca = ca/here-keyservers.pem";
      expect(moved).to.deep.equal(expected);
    }
  });

  it("adds no line for a file that the profile does not name", () => {
    const text = profileText();
    const moved = relocateProfile(text, file, places);
    expect(moved.split("\n")).to.have.length(text.split("\n").length);
    expect(moved).to.not.include(".pem");
  });

  it("quotes a place where it must", () => {
    const moved = relocateProfile(profileText(), file, { ...places, keyring: "key;rings" });
    expect(moved).to.include('keyring = "key;rings"');
  });

  it("refuses what is no profile", () => {
    const { code, line } = refusal(() => relocateProfile(`${profileText()}\nnonsense`, file, places));
    expect({ code, line: typeof line }).to.deep.equal({ code: "bad_profile", line: "number" });
  });
});

// RFC 9110 sections 8.8 and 13.1: which name of a version is certain enough to be asked for again.
import { expect } from "chai";
import { isDatedBy, unlessStill, validatorOf } from "../../src/net/validator.ts";

const old = "Sun, 06 Nov 1994 08:49:37 GMT";
const young = "Sun, 06 Nov 1994 08:49:38 GMT";
const date = "Sun, 06 Nov 1994 08:50:37 GMT";

function of(headers: Readonly<Record<string, string>>) {
  return validatorOf({ status: 200, url: "http://localhost/", headers }, Date.parse(date));
}

describe("validators", () => {
  it("a strong tag counts whatever the dates are, before any date", () => {
    expect(of({ etag: '"a"' })).to.deep.equal({ etag: '"a"' });
    expect(of({ etag: '"a"', "last-modified": young, date })).to.deep.equal({ etag: '"a"' });
    expect(of({ etag: '""' })).to.deep.equal({ etag: '""' });
  });

  it("a date, or a weak tag, counts where the file was a minute old by the server's own clock", () => {
    expect(of({ "last-modified": old, date })).to.deep.equal({ lastModified: old });
    expect(of({ etag: 'W/"a"', "last-modified": old, date })).to.deep.equal({ etag: 'W/"a"' });
    for (const weak of [{}, { etag: 'W/"a"' }]) {
      expect(of({ ...weak, "last-modified": young, date })).to.equal(undefined);
      expect(of({ ...weak, "last-modified": old })).to.equal(undefined);
      expect(of({ ...weak, date })).to.equal(undefined);
    }
  });

  it("no date of the future counts, in the answer or among what was kept", () => {
    const later = "Sun, 06 Nov 1994 08:50:38 GMT";
    const answered = "Sun, 06 Nov 1994 09:50:38 GMT";
    for (const weak of [{}, { etag: 'W/"a"' }]) {
      expect(of({ ...weak, "last-modified": later, date: answered })).to.equal(undefined);
      expect(of({ ...weak, "last-modified": old, date: later })).to.equal(undefined);
    }
    const latest = Date.parse(date);
    expect(isDatedBy({ lastModified: date }, latest)).to.equal(true);
    for (const lastModified of [later, "yesterday"]) expect(isDatedBy({ lastModified }, latest)).to.equal(false);
    expect(isDatedBy({ etag: '"a"' }, latest)).to.equal(true);
  });

  it("what is not a tag or a date is neither kept nor sent", () => {
    for (const etag of ["a", '"a', '"a"b"', '"a", "b"', '"a\u0000"', '"\u00e9"', `"${"a".repeat(255)}"`]) {
      expect(of({ etag }), etag).to.equal(undefined);
    }
    for (const text of ["yesterday", "1994-11-06T08:49:37Z", "Sun, 99 Nov 1994 08:49:37 GMT", `${old}, ${old}`, ""]) {
      expect(of({ "last-modified": text, date }), text).to.equal(undefined);
    }
  });

  it("is asked for by the header of its kind, and by none where nothing is known", () => {
    expect(unlessStill({ etag: '"a"' })).to.deep.equal({ "if-none-match": '"a"' });
    expect(unlessStill({ lastModified: old })).to.deep.equal({ "if-modified-since": old });
    expect(unlessStill({})).to.deep.equal({});
  });
});

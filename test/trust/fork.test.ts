/**
 * T6 on bare graphs: letters are keys, `A>B` a link that holds, `A<>B` one each way, `A~B` one that has expired since,
 * `A/B` one that A has withdrawn.
 */
import { expect } from "chai";
import fc from "fast-check";
import { reachedWithout } from "../../src/trust/dominators.ts";
import { beyondFork, type Fork, findForks, findVictims } from "../../src/trust/fork.ts";
import { makeGraph, paths, reach, reverse, withoutCircles } from "../../src/trust/graph.ts";

interface Picture {
  readonly seeds: string;
  readonly links: string;
  readonly dead?: string;
  readonly accepted?: string;
  readonly crowded?: string;
  readonly remembered?: string;
}

function drawn({ seeds, links, dead = "", accepted = "", crowded = "", remembered = "" }: Picture) {
  const all = links.split(" ").filter((text) => text !== "");
  const holding = all.flatMap((text) => {
    const [from = "", to = ""] = [text.at(0), text.at(-1)];
    if (/[~/]/.test(text)) return [];
    return text.includes("<>")
      ? [
          { issuer: from, subject: to },
          { issuer: to, subject: from },
        ]
      : [{ issuer: from, subject: to }];
  });
  const graph = makeGraph(holding);
  const withdrawn = all.flatMap((text) =>
    text.includes("/") ? [{ issuer: text.charAt(0), subject: text.slice(2) }] : [],
  );
  const wide = makeGraph([...holding, ...withdrawn]);
  const acknowledged = new Set([
    ...holding.map(({ issuer, subject }) => issuer + subject),
    ...all.filter((text) => text.includes("~")).map((text) => `${text.at(0)}${text.at(-1)}`),
  ]);
  const keys = new Set(links.replaceAll(/[^A-Z]/g, ""));
  const isReachedWithout = reachedWithout(graph, new Set(seeds));
  const forks = findForks({
    graph,
    wide,
    isReachedWithout,
    remembered: new Set(remembered),
    seeds: new Set(seeds),
    live: new Set([...keys].filter((key) => !dead.includes(key))),
    acknowledges: (issuer, subject) => acknowledged.has(issuer + subject),
    isCrowded: (issuer) => crowded.includes(issuer),
  });
  const victims = findVictims(forks, isReachedWithout, new Set(accepted));
  return { graph, forks, victims: [...victims].sort().join("") };
}

const told = (forks: readonly Fork[]) => forks.map(({ issuer, rivals }) => `${issuer}:${rivals.join("")}`).join(" ");

describe("trust/fork", () => {
  const cases: readonly (readonly [what: string, picture: Picture, forks: string, victims: string])[] = [
    ["one successor is no fork", { seeds: "S", links: "S>A A>B" }, "", ""],
    ["unless others are unseen", { seeds: "S", links: "S>A A>B", crowded: "S" }, "S:A", "A"],
    ["those too that acknowledge each other", { seeds: "S", links: "S>A S>B A<>B", crowded: "S" }, "S:AB", "AB"],
    ["but one accepted before stays", { seeds: "S", links: "S>A S>B", crowded: "S", accepted: "A" }, "S:AB", "B"],
    ["and one reached otherwise", { seeds: "SR", links: "S>A R>A", crowded: "S" }, "S:A", ""],
    ["dead ones stand for what they lead to", { seeds: "S", links: "S>A A>B", crowded: "S", dead: "A" }, "S:B", "B"],
    ["and for nobody where they lead nowhere", { seeds: "S", links: "S>A", crowded: "S", dead: "A" }, "", ""],
    ["two successors are rivals", { seeds: "S", links: "S>A S>B" }, "S:AB", "AB"],
    ["a one-way certification settles nothing", { seeds: "S", links: "S>A S>B B>A" }, "S:AB", "AB"],
    ["two that certify each other are no rivals", { seeds: "S", links: "S>A S>B A<>B" }, "", ""],
    ["an expired certification still acknowledges", { seeds: "S", links: "S>A S>B A>B B~A" }, "", ""],
    [
      "of three, the two that know each other both rival the third",
      { seeds: "S", links: "S>A S>B S>C A<>B" },
      "S:ABC",
      "ABC",
    ],
    [
      "one whose certification was withdrawn stays a rival while it lives",
      { seeds: "S", links: "S>A S/B" },
      "S:AB",
      "AB",
    ],
    ["and rivals nobody when it is dead", { seeds: "S", links: "S>A S/B", dead: "B" }, "", ""],
    ["dead keys rival nobody", { seeds: "S", links: "S>A S>B", dead: "B" }, "", ""],
    ["seeds rival nobody", { seeds: "SA", links: "S>A S>B" }, "", ""],
    ["the accepted rival is no victim", { seeds: "S", links: "S>A S>B", accepted: "A" }, "S:AB", "B"],
    ["ancestors of the issuer rival nobody", { seeds: "S", links: "S>A A>B B>A B>C" }, "", ""],
    ["whom the chain reaches without the issuer is no victim", { seeds: "SR", links: "S>A S>B R>A" }, "S:AB", "B"],
    [
      "Debian: bookworm certifies its security key and trixie",
      { seeds: "EF", links: "E>B F>X B>X B>T X>T" },
      "B:TX",
      "",
    ],
  ];
  for (const [what, picture, forks, victims] of cases) {
    it(what, () => {
      const judged = drawn(picture);
      expect([told(judged.forks), judged.victims]).to.deep.equal([forks, victims]);
    });
  }

  describe("a key that is not live", () => {
    const dead: readonly (readonly [what: string, picture: Picture, forks: string, victims: string])[] = [
      ["stands for the live key that it leads to", { seeds: "S", links: "S>B S>X X>M", dead: "X" }, "S:BM", "BM"],
      ["through any number of others", { seeds: "S", links: "S>B S>X X>Y Y>Z Z>M", dead: "XYZ" }, "S:BM", "BM"],
      ["on the rightful side too", { seeds: "S", links: "S>M S>B B>C", dead: "B" }, "S:CM", "CM"],
      ["on both sides", { seeds: "S", links: "S>X X>M S>B B>C", dead: "SXB" }, "S:CM", "CM"],
      [
        "whatever the thief certifies back",
        { seeds: "S", links: "S>B S>X X>M M>B M>S X>S X>B", dead: "X" },
        "S:M X:BM",
        "M",
      ],
      ["where the rightful one was withdrawn", { seeds: "S", links: "S>M S/B B>C", dead: "B" }, "S:CM", "CM"],
      ["the one accepted before stays", { seeds: "S", links: "S>B S>X X>M", dead: "X", accepted: "B" }, "S:BM", "M"],
      ["and what it leads to since", { seeds: "S", links: "S>B B>C S>X X>M", dead: "BX", accepted: "C" }, "S:CM", "M"],
      ["a chain of expired keys is no fork", { seeds: "S", links: "S>A A>B B>C", dead: "SAB" }, "", ""],
      ["nor a diamond of them", { seeds: "S", links: "S>A S>B A>C B>C", dead: "AB" }, "", ""],
      [
        "Debian: sides that lead to the same live keys",
        { seeds: "S", links: "S>A S>B A>C A>D B>C B>D", dead: "SAB" },
        "A:CD B:CD",
        "",
      ],
      ["one that leads to more than the other", { seeds: "S", links: "S>B S>X X>B X>M", dead: "X" }, "S:M X:BM", "M"],
      ["side keys that acknowledge each other", { seeds: "S", links: "S>A S>B A<>C B>C A<>B", dead: "B" }, "", ""],
      ["no way leads through an ancestor", { seeds: "S", links: "S>A A>I I>A I>N", dead: "A" }, "", ""],
      [
        "that is a seed has the other seeds against its thief",
        { seeds: "SR", links: "S>R S>M", dead: "S" },
        "S:MR",
        "M",
      ],
      ["which have expired as well", { seeds: "AB", links: "A>B B>C A>M", dead: "AB" }, "A:CM", "M"],
      ["a live one has not", { seeds: "SR", links: "S>R S>M" }, "", ""],
      [
        "what was accepted and has expired is remembered where the issuer is not live either",
        { seeds: "S", links: "S>B S>M", dead: "SB", remembered: "B", accepted: "B" },
        "S:BM",
        "M",
      ],
      ["and only there", { seeds: "S", links: "S>B S>M", dead: "B", remembered: "B", accepted: "B" }, "", ""],
      ["hides a crowd from nobody", { seeds: "S", links: "S>B S>X X>M", dead: "X", crowded: "X" }, "S:BM X:M", "BM"],
    ];
    for (const [what, picture, forks, victims] of dead) {
      it(what, () => {
        const judged = drawn(picture);
        expect([told(judged.forks), judged.victims]).to.deep.equal([forks, victims]);
      });
    }
  });

  describe("a thief who has the issuer's key", () => {
    it("does not make his key an ancestor by certifying the issuer back", () => {
      expect(drawn({ seeds: "S", links: "S>N S<>T" }).victims).to.equal("NT");
      // As a rotation does it: successor and predecessor certify each other.
      expect(drawn({ seeds: "S", links: "S<>N S<>T" }).victims).to.equal("NT");
      expect(drawn({ seeds: "S", links: "S<>I I<>N I<>T" }).victims).to.equal("NT");
    });

    it("does not clear the way by withdrawing the rightful one", () => {
      expect(drawn({ seeds: "S", links: "S/N S>T" }).victims).to.equal("NT");
      expect(drawn({ seeds: "S", links: "S/N S>T", accepted: "N" }).victims).to.equal("T");
    });

    it("nor over a longer way back", () => {
      expect(drawn({ seeds: "S", links: "S>N S>T T>U U>S" }).victims).to.equal("NT");
      expect(drawn({ seeds: "S", links: "S>I I>N I>T T>U U>I" }).victims).to.equal("NT");
    });

    it("nor by certifying everything in sight", () => {
      expect(drawn({ seeds: "S", links: "S<>I I<>N I<>T T>N T>S", accepted: "N" }).victims).to.equal("T");
    });
  });

  describe("beyond a fork", () => {
    const beyond = (links: string, rivals = "AB", unchecked = "", victims = rivals) => {
      const { graph } = drawn({ seeds: "S", links });
      const sides = [...rivals].map((key) => ({ key, heads: new Set(key), isCrowd: false }));
      const fork = { issuer: "S", rivals: [...rivals], sides, isCrowd: false };
      return [...beyondFork(fork, graph, new Set(victims), new Set(unchecked), new Set(rivals))].sort().join("");
    };
    it("lies what every side leads to, and what follows", () => {
      expect(beyond("S>A S>B A>C B>C C>D")).to.equal("CD");
      expect(beyond("S>A S>B A>X X>C B>Y Y>C")).to.equal("C");
    });
    it("lies nothing where a side is unseen", () => {
      const { graph } = drawn({ seeds: "S", links: "S>A S>B A>C B>C" });
      const fork = { issuer: "S", rivals: ["A", "B"], sides: [], isCrowd: true };
      expect([...beyondFork(fork, graph, new Set("AB"), new Set(), new Set("AB"))]).to.deep.equal([]);
    });
    it("lies nothing that hangs on one side", () => {
      expect(beyond("S>A S>B A>C B>D")).to.equal("");
      expect(beyond("S>A S>B S>C A>D B>D C>E", "ABC")).to.equal("");
    });
    it("lie no rivals, also where one certifies the other", () => {
      expect(beyond("S>A S>B A>B")).to.equal("");
      expect(beyond("S>A S>B A>B B>C")).to.equal("");
    });
    it("no way leads through a key that is unchecked or another victim", () => {
      expect(beyond("S>A S>B A>X X>C B>C", "AB", "X")).to.equal("");
      expect(beyond("S>A S>B A>C B>C", "AB", "A")).to.equal("");
      expect(beyond("S>A S>B A>V V>C B>C", "AB", "", "ABV")).to.equal("");
    });
  });
});

describe("trust/graph", () => {
  const key = fc.constantFrom(..."ABCDEF");
  const links = fc.array(fc.record({ issuer: key, subject: key }), { maxLength: 12 });

  it("is the same whatever the order of its links", () => {
    fc.assert(
      fc.property(links, (some) => {
        expect([...makeGraph(some)]).to.deep.equal([...makeGraph([...some].reverse())]);
      }),
    );
  });

  it("finds shortest paths, over links that are there, past barred keys", () => {
    fc.assert(
      fc.property(links, fc.subarray([..."ABCDEF"]), fc.subarray([..."ABCDEF"]), (some, starts, bars) => {
        const barred = new Set(bars);
        const graph = makeGraph(some);
        const from = paths(graph, starts, barred);
        const length = (at: string): number => {
          const before = from.get(at);
          return before === undefined ? 0 : 1 + length(before);
        };
        for (const [to, before] of from) {
          expect(barred.has(to)).to.equal(false);
          if (before === undefined) expect(starts).to.include(to);
          else expect(graph.get(before)).to.include(to);
        }
        // No link could shorten a path, and none leads from what was found to what was not.
        for (const { issuer, subject } of some) {
          if (!from.has(issuer) || barred.has(subject)) continue;
          expect(length(subject)).to.be.lessThanOrEqual(length(issuer) + 1);
        }
        expect([...reach(graph, starts, barred)].sort()).to.deep.equal([...from.keys()].sort());
      }),
      { numRuns: 500 },
    );
  });

  it("turned around leads to those who lead there", () => {
    fc.assert(
      fc.property(links, key, (some, target) => {
        const graph = makeGraph(some);
        const wanted = [..."ABCDEF"].filter((one) => reach(graph, [one]).has(target));
        expect([...reach(reverse(graph), [target])].sort()).to.deep.equal(wanted);
      }),
    );
  });

  it("knows what is reached without a key as a search without it does", () => {
    fc.assert(
      fc.property(links, fc.subarray([..."ABCDEF"]), key, key, (some, starts, to, through) => {
        fc.pre(to !== through);
        const graph = makeGraph(some);
        const without = reach(graph, starts, new Set([through])).has(to);
        expect(reachedWithout(graph, new Set(starts))(to, through)).to.equal(without);
      }),
      { numRuns: 5_000 },
    );
  });

  it("leaves the detours of a path out", () => {
    expect(withoutCircles([..."SABACD"]).join("")).to.equal("SACD");
    fc.assert(
      fc.property(fc.array(key, { minLength: 1 }), (path) => {
        const straight = withoutCircles(path);
        expect(new Set(straight).size).to.equal(straight.length);
        expect([straight[0], straight.at(-1)]).to.deep.equal([path[0], path.at(-1)]);
        // Each step of it was one of the path's.
        const steps = new Set(path.slice(1).map((to, i) => `${path[i]}${to}`));
        for (const [i, to] of straight.slice(1).entries()) expect(steps).to.include(`${straight[i]}${to}`);
      }),
    );
  });
});

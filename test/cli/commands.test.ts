import { expect } from "chai";
import { Command } from "commander";
import { addCommands, allCommands } from "../../src/cli/commands.ts";

function names(...args: readonly string[]): string[] {
  const program = new Command();
  addCommands(
    allCommands,
    program,
    () => async () => undefined,
    async () => 0,
    args,
  );
  return program.commands.map((command) => command.name());
}

describe("cli/commands", () => {
  const all = names();

  it("defines every command that is named, wherever", () => {
    expect(all).to.include.members(["keygen", "rotate", "key", "verify-package", "demo"]);
    for (const name of all) {
      expect(names("--json", name, "--feed", "base"), name).to.include(name);
      // The value of an option may be called like a command.
      for (const other of all) expect(names("--profile", other, name)).to.include.members([other, name]);
    }
  });

  it("defines the others only for help, and for what it does not know", () => {
    expect(names("verify", "Packages")).to.include("update").and.not.include("publish");
    for (const args of [[], ["--help"], ["-h"], ["help"], ["help", "verify"], ["verify", "--help"], ["verrify"]]) {
      expect(names(...args)).to.deep.equal(all);
    }
  });
});

// Preloaded into a run of the program: tells at its end how much memory it held at most.
process.on("exit", () => {
  process.stderr.write(`peak memory ${process.resourceUsage().maxRSS} kB\n`);
});

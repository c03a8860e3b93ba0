// Preloaded into a measured process: writes its peak memory, in bytes, and its milliseconds of the CPU to the file that QDIFF_BENCH_RSS names.
process.on('exit', () => {
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
  require('node:fs').writeFileSync(
    process.env.QDIFF_BENCH_RSS,
    `${maxRSS * 1024} ${(userCPUTime + systemCPUTime) / 1000}`,
  );
});

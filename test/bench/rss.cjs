// Preloaded into a measured process: writes its peak memory, in bytes, to the file that QDIFF_BENCH_RSS names.
process.on('exit', () => {
  require('node:fs').writeFileSync(process.env.QDIFF_BENCH_RSS, String(process.resourceUsage().maxRSS * 1024));
});

// Owns the Redis key of what the processes have counted.

/**
 * hash: `at:<process>` → ms of its latest report, 0 once it said goodbye; `of:<process>` → that report, gzipped JSON;
 * `ended` → the sum of processes that have ended, likewise, `version` → how often that was replaced;
 * `gone:<process>` → ms since when a process is part of `ended`. Lives FIGURES_MS, renewed by every report.
 */
export const FIGURES_KEY = 'metrics:processes'

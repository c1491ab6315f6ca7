// Adds up jest's own JSON reports. Prints "N passed, N failed" and fails when a test failed or none ran.
// Usage: node scripts/ci/sum-tests.mjs report.json...
import { readFileSync } from 'node:fs';

const reports = process.argv.slice(2).map((path) => JSON.parse(readFileSync(path, 'utf8')));
const passed = sum('numPassedTests');
// A file that can't be loaded counts no failed test of its own.
const failed = sum('numFailedTests') + sum('numRuntimeErrorTestSuites');
const skipped = sum('numPendingTests') + sum('numTodoTests');

console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;

function sum(field) {
  return reports.reduce((total, report) => total + report[field], 0);
}

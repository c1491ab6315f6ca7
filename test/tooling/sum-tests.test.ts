import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const script = join(__dirname, '../../scripts/ci/sum-tests.mjs');
const nothing = {
  numPassedTests: 0,
  numFailedTests: 0,
  numRuntimeErrorTestSuites: 0,
  numPendingTests: 0,
  numTodoTests: 0,
};
let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sum-tests-'));
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

test('the reports are added up', () => {
  const reports = [{ numPassedTests: 3 }, { numPassedTests: 4, numPendingTests: 1, numTodoTests: 1 }];
  expect(sum(reports)).toEqual({ code: 0, line: '7 passed, 0 failed, 2 skipped' });
});

test('a failed test fails the sum, and so does a file that could not be loaded', () => {
  const reports = [{ numPassedTests: 3, numFailedTests: 1 }, { numRuntimeErrorTestSuites: 1 }];
  expect(sum(reports)).toEqual({ code: 1, line: '3 passed, 2 failed' });
});

test('no test at all is a failure', () => {
  expect(sum([{}])).toEqual({ code: 1, line: '0 passed, 0 failed' });
});

function sum(reports: Partial<typeof nothing>[]) {
  const paths = reports.map((report, index) => {
    const path = join(folder, `${index}.json`);
    writeFileSync(path, JSON.stringify({ ...nothing, ...report }));
    return path;
  });
  const { status, stdout } = spawnSync(process.execPath, [script, ...paths], { encoding: 'utf8' });
  return { code: status, line: stdout.trim() };
}

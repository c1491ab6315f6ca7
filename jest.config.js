'use strict';

const servers = {
  oldest: { variable: 'DATABASE_URL_15', major: Number(process.env.DATABASE_MAJOR_15 ?? 15) },
  newest: { variable: 'DATABASE_URL', major: Number(process.env.DATABASE_MAJOR ?? 18) },
};

// Class fields are defined, as the compiler's own output does, so that a model without `declare` fails in tests too.
const swc = (tsx) => ({
  jsc: {
    target: 'es2022',
    parser: { syntax: 'typescript', tsx },
    transform: { react: { runtime: 'automatic', importSource: 'preact' } },
  },
  module: { type: 'commonjs' },
});

const common = {
  rootDir: __dirname,
  testEnvironment: 'node',
  transform: { '\\.ts$': ['@swc/jest', swc(false)], '\\.tsx$': ['@swc/jest', swc(true)] },
};

const library = {
  '^sequelize-auditlog$': '<rootDir>/lib/index.ts',
  '^sequelize-auditlog/web$': '<rootDir>/lib/web/index.ts',
  '^sequelize-auditlog/migrations$': '<rootDir>/lib/schema/migrations/index.ts',
};

function matrixProject(express, server) {
  return {
    ...common,
    displayName: `express@${express} postgresql@${server.major}`,
    testMatch: ['<rootDir>/test/**/*.test.ts'],
    testPathIgnorePatterns: [
      '<rootDir>/test/package/',
      '<rootDir>/test/browser/',
      // The program is the same on all; where servers differ, the suites of what it calls run on both.
      ...(server === servers.newest ? [] : ['<rootDir>/test/cli/']),
      '<rootDir>/test/tooling/(?!matrix)',
    ],
    moduleNameMapper: { '^express$': `express-v${express}`, ...library },
    globals: { matrix: { express, postgresql: server.major, urlVariable: server.variable } },
  };
}

module.exports = {
  // A watchman daemon would outlive the run.
  watchman: false,
  maxWorkers: '100%',
  testTimeout: 30_000,
  projects: [
    matrixProject(4, servers.oldest),
    matrixProject(5, servers.newest),
    {
      ...matrixProject(5, servers.newest),
      displayName: 'shop',
      testMatch: ['<rootDir>/example-app/test/**/*.test.ts'],
    },
    {
      ...common,
      displayName: 'tooling',
      testMatch: ['<rootDir>/test/package/**/*.test.ts', '<rootDir>/test/tooling/**/*.test.ts'],
      testPathIgnorePatterns: ['<rootDir>/test/tooling/matrix'],
    },
  ],
};

'use strict';

// In a real Chromium: the newest Express and PostgreSQL only, since the pages are the same HTML on all.
const { projects, ...common } = require('./jest.config.js');

const newest = projects[1];

module.exports = {
  ...common,
  testTimeout: 120_000,
  projects: [
    {
      ...newest,
      displayName: 'browser',
      testMatch: ['<rootDir>/test/browser/**/*.test.ts'],
      testPathIgnorePatterns: [],
    },
  ],
};

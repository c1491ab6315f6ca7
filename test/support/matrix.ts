/** The Express and PostgreSQL majors that the running jest project stands for (see jest.config.js). */
export interface Matrix {
  readonly express: number;
  readonly postgresql: number;
  readonly urlVariable: string;
}

export const matrix = (globalThis as unknown as { matrix: Matrix }).matrix;

export function databaseUrl(): string {
  const url = process.env[matrix.urlVariable];
  if (!url) throw new Error(`${matrix.urlVariable} is not set: run the tests with "npm test -- <path>"`);
  return url;
}

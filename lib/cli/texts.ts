const numbers = new Intl.NumberFormat('en-US');
const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'];

/** `12,345` */
export function grouped(count: number): string {
  return numbers.format(count);
}

/** `1 entry`, `12,345 entries` */
export function counted(count: number, one: string, many: string = `${one}s`): string {
  return `${grouped(count)} ${count === 1 ? one : many}`;
}

export function entries(count: number): string {
  return counted(count, 'entry', 'entries');
}

/** `1.4 MB`, in powers of 1,000. */
export function size(bytes: number): string {
  const power = bytes < 1 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1000 ** power;
  return `${value.toFixed(power === 0 || value >= 100 ? 0 : 1)} ${UNITS[power]}`;
}

/** `2026-11-21 20:17:26`, in UTC. */
export function time(date: Date | null): string {
  return date === null ? '' : date.toISOString().slice(0, 19).replace('T', ' ');
}

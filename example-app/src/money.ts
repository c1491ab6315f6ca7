// Money is counted in whole cents, because 0.1 + 0.2 is not 0.3.
export function toCents(amount: string): number {
  return Math.round(Number(amount) * 100);
}

export function fromCents(cents: number): string {
  return (cents / 100).toFixed(2);
}

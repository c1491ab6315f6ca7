const EVERY = 25;

/** One line that counts up on a terminal; a single line where there is none. */
export function progressLine(output: NodeJS.WriteStream): (done: number, total: number) => void {
  return (done, total) => {
    if (output.isTTY) {
      if (done % EVERY === 0 || done === total)
        output.write(`\rWriting half a year of history: ${done} of ${total}`);
      if (done === total) output.write('\n');
    } else if (done === 1) {
      output.write(`Writing half a year of history (${total} steps) …\n`);
    }
  };
}

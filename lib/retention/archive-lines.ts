import { archiveError } from './archive-manifest';

/** The ids and times of lines, which are how a file of an archive is described. */
export interface LinesFound {
  readonly count: number;
  readonly firstId: string;
  readonly lastId: string;
  readonly firstTime: string;
  readonly lastTime: string;
}

/** An id of an entry or a version is the first member of its line, its time the second. */
const START = /^\{"(?:id|historyId)":"(\d{1,19})","(?:timestamp|historyDate)":"([^"]*)"/;

function isLower(a: string, b: string): boolean {
  return a.length === b.length ? a < b : a.length < b.length;
}

/** What tells a row from those of another log with the same ids. */
export interface ArchivedRow {
  readonly id: string;
  readonly time: string;
}

/** @throws {AuditError} ERR_AUDIT_ARCHIVE when it is no line of an archive */
export function idAndTimeOf(file: string, line: string): ArchivedRow {
  const [, id, time] = START.exec(line) ?? [];
  if (id !== undefined && time !== undefined) return { id, time };
  const seen = `the line ${JSON.stringify(line.slice(0, 60))} doesn't begin with an id and a time`;
  throw archiveError(file, seen, 'It is of no archive of this library.');
}

/** What was seen of lines so far. */
export class LineSummary {
  readonly #file: string;
  #count = 0;
  #ids: [lowest: string, highest: string] | null = null;
  #times: [earliest: string, latest: string] | null = null;

  constructor(file: string) {
    this.#file = file;
  }

  get count(): number {
    return this.#count;
  }

  /** Takes lines in; their ids and times. @throws {AuditError} ERR_AUDIT_ARCHIVE */
  add(lines: readonly string[]): ArchivedRow[] {
    return lines.map((line) => {
      const { id, time } = idAndTimeOf(this.#file, line);
      this.#count += 1;
      const [lowest, highest] = this.#ids ?? [id, id];
      this.#ids = [isLower(id, lowest) ? id : lowest, isLower(highest, id) ? id : highest];
      const [earliest, latest] = this.#times ?? [time, time];
      this.#times = [time < earliest ? time : earliest, time > latest ? time : latest];
      return { id, time };
    });
  }

  found(): LinesFound {
    const [firstId, lastId] = this.#ids ?? ['', ''];
    const [firstTime, lastTime] = this.#times ?? ['', ''];
    return { count: this.#count, firstId, lastId, firstTime, lastTime };
  }
}

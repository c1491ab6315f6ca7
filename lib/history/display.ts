import { boundedText } from '../context/text';
import type { Registration, Registry } from '../capture/registry';
import type { Changes, JsonValue, LinkChange, LinkedObject, ValueChange } from '../core/types';
import type { DisplayChange, LogEntry, LogEntryStatic } from '../schema/log-entry';

/** Characters of a value that a person is shown; `changes` holds the whole. */
export const MAX_DISPLAY_LENGTH = 140;

/** What `describe` calls the change: the actor is its subject. */
const VERBS: Readonly<Record<string, string>> = {
  create: 'created',
  update: 'updated',
  delete: 'deleted',
  access: 'viewed',
  prune: 'pruned',
};

export function isLinkChange(change: ValueChange | LinkChange): change is LinkChange {
  return !Array.isArray(change);
}

export function isDigest(value: object): value is { bytes: number; sha256: string } {
  const keys = Object.keys(value);
  return keys.length === 2 && 'bytes' in value && 'sha256' in value;
}

function cut(text: string): string {
  return text.length <= MAX_DISPLAY_LENGTH ? text : `${boundedText(text, MAX_DISPLAY_LENGTH)}...`;
}

/** The whole of it. */
export function fullText(value: JsonValue): string {
  if (typeof value === 'string') return value;
  if (value === null || typeof value !== 'object') return String(value);
  if (Array.isArray(value)) return value.map(fullText).join(', ');
  return isDigest(value) ? `${value.bytes} bytes, sha256 ${value.sha256}` : JSON.stringify(value);
}

/** A value as a person reads it: texts bare, arrays joined, objects as JSON; at most 140 characters, then `...`. */
export function valueText(value: JsonValue): string {
  return cut(fullText(value));
}

function names(links: readonly LinkedObject[]): string {
  return links.map((link) => link.repr).join(', ');
}

function linkText({ added, removed }: LinkChange): string {
  const parts = [
    added.length > 0 ? `added ${names(added)}` : '',
    removed.length > 0 ? `removed ${names(removed)}` : '',
  ];
  return cut(parts.filter((part) => part !== '').join('; '));
}

/** By UTF-16 units, so that the order does not depend on the process's locale. */
function sortedNames(changes: Changes | null | undefined): string[] {
  return Object.keys(changes ?? {}).toSorted();
}

/** The changes of an entry as texts, in alphabetical order of attributes. */
export function displayChanges(entry: LogEntry, registration: Registration | null): DisplayChange[] {
  const { changes } = entry;
  const labels = registration?.options.labels ?? {};
  return sortedNames(changes).map((attribute) => {
    const change = changes![attribute]!;
    // A name may be that of a member of every object, such as `constructor`.
    const label = Object.hasOwn(labels, attribute) ? labels[attribute]! : attribute;
    if (isLinkChange(change)) return { attribute, label, old: '', new: linkText(change) };
    return { attribute, label, old: valueText(change[0]), new: valueText(change[1]) };
  });
}

/** A paranoid object came back when its `deletedAt` went to null. */
export function isRestore(
  entry: Pick<LogEntry, 'action' | 'changes'>,
  registration: Registration | null,
): boolean {
  const deletedAt = registration?.tracked.deletedAt?.attribute;
  const change = deletedAt === undefined ? undefined : entry.changes?.[deletedAt];
  return entry.action === 'update' && change !== undefined && !isLinkChange(change) && change[1] === null;
}

/** Of a model, and no object: entries that the application writes under the same word are about objects. */
export function isPrune({ action, objectPk }: Pick<LogEntry, 'action' | 'objectPk'>): boolean {
  return action === 'prune' && (objectPk ?? null) === null;
}

function subject({ model, objectPk, objectRepr }: LogEntry): string {
  return objectRepr ?? (objectPk === null || objectPk === undefined ? model : `${model} ${objectPk}`);
}

function changeText(entry: LogEntry, { attribute, old, new: now }: DisplayChange): string {
  const change = entry.changes?.[attribute];
  return change && isLinkChange(change) ? now : `${old} → ${now}`;
}

function counted(count: unknown, one: string, many: string): string[] {
  if (typeof count !== 'number' || count === 0) return [];
  return [`${count.toLocaleString('en-US')} ${count === 1 ? one : many}`];
}

/** What a prune says of itself: `12,345 entries and 678 versions of Order older than 2025-11-21T00:00:00Z`. */
function prunedText({ model, additionalData }: LogEntry): string {
  const { entries, versions, olderThan } = additionalData ?? {};
  const counts = [...counted(entries, 'entry', 'entries'), ...counted(versions, 'version', 'versions')].join(
    ' and ',
  );
  const time = typeof olderThan === 'string' ? olderThan.replace(/\.?0*Z$/, 'Z') : '';
  return `${counts === '' ? '' : `${counts} of `}${model}${time === '' ? '' : ` older than ${time}`}`;
}

/** One line that says who did what: `alice updated status of Order 1: pending → shipped`. */
export function describeEntry(entry: LogEntry, registration: Registration | null): string {
  const actor = entry.actorLabel ?? entry.actorId ?? 'system';
  const known = VERBS[entry.action];
  if (isRestore(entry, registration)) return `${actor} restored ${subject(entry)}`;
  if (isPrune(entry)) return `${actor} pruned ${prunedText(entry)}`;
  const shown = displayChanges(entry, registration);
  if (known !== undefined && (entry.action !== 'update' || shown.length === 0))
    return `${actor} ${known} ${subject(entry)}`;
  const verb = known ?? `logged ${entry.action}`;
  if (shown.length === 0) return `${actor} ${verb} of ${subject(entry)}`;
  const labels = shown.map((change) => change.label).join(', ');
  const texts = shown.map((change) => changeText(entry, change)).join('; ');
  const what =
    known === undefined
      ? `${verb} of ${subject(entry)}, ${labels}`
      : `${verb} ${labels} of ${subject(entry)}`;
  return `${actor} ${what}: ${texts}`;
}

/** Gives entries their texts; labels come from the registration as it is when they are read. */
export function addDisplay(model: LogEntryStatic, registry: Registry): void {
  const registrationOf = (entry: LogEntry): Registration | null => registry.findByName(entry.model);
  Object.defineProperties(model.prototype, {
    changedAttributes: {
      configurable: true,
      get(this: LogEntry): string[] {
        return sortedNames(this.changes);
      },
    },
    displayChanges: {
      configurable: true,
      value(this: LogEntry): DisplayChange[] {
        return displayChanges(this, registrationOf(this));
      },
    },
    describe: {
      configurable: true,
      value(this: LogEntry): string {
        return describeEntry(this, registrationOf(this));
      },
    },
  });
}

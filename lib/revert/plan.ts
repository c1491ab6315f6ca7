import type { Registration } from '../capture/registry';
import { AuditError } from '../core/errors';
import { didYouMean } from '../core/suggest';
import { linkedNames, type LinkDiff } from '../past/links-at';
import type { ObjectState, UnknownReason } from '../past/state';
import { managedAttributes, storedAttributes } from '../schema/attributes';
import type { CatalogueColumn } from '../schema/catalogue';
import type { Obstacle } from './obstacles';
import { isSameStored } from './same-stored';

/** What a revert does to one attribute. */
export interface AttributeRevert {
  readonly attribute: string;
  readonly now: unknown;
  readonly after: unknown;
}

/** What a revert leaves as it is, and why: `masked`, `excluded`, `dropped`, …, or a sentence about a link. */
export interface SkippedAttribute {
  readonly attribute: string;
  readonly why: string;
}

/** What the plan is made from. */
export interface RevertFacts {
  readonly registration: Registration;
  readonly now: ObjectState;
  readonly past: ObjectState;
  readonly links: readonly LinkDiff[];
  /** Since when links are known, where that is after the time: then no links are put back. */
  readonly linksSince: string | null;
  /** The table's columns by attribute. */
  readonly columns: ReadonlyMap<string, CatalogueColumn>;
  /** Names in the object's entries that the model doesn't have any more. */
  readonly dropped: readonly string[];
  /** Null for all. */
  readonly only: ReadonlySet<string> | null;
}

/** What is to be done. */
export interface RevertPlan {
  readonly changes: readonly AttributeRevert[];
  readonly links: readonly LinkDiff[];
  readonly skipped: readonly SkippedAttribute[];
  readonly obstacles: readonly Obstacle[];
  /** What is stored of a row that comes back, by attribute. */
  readonly row: Readonly<Record<string, unknown>>;
}

/** Attributes that a write sets by itself: put back, they would lie about when that write was. */
function managedNames({ model }: Registration): ReadonlySet<string> {
  const { timestamps, version } = managedAttributes(model);
  return new Set(version === null ? timestamps : [...timestamps, version]);
}

/** Why links can't be put back; null when they can. */
function lostLinks({ linksSince }: RevertFacts): string | null {
  return linksSince === null ? null : `its links before ${linksSince} were pruned`;
}

/** Why an attribute can't be put back; null when it can. */
function unrestorable(facts: RevertFacts, name: string): string | null {
  const { registration, past, columns, dropped } = facts;
  const { model } = registration;
  if (linkedNames(registration).includes(name)) return lostLinks(facts);
  if (dropped.includes(name)) return 'dropped' satisfies UnknownReason;
  if (Object.hasOwn(model.associations, name)) return 'notRecorded' satisfies UnknownReason;
  if (managedNames(registration).has(name)) return 'managed by Sequelize';
  if (columns.get(name)?.generated === true) return 'computed by the database';
  return Object.hasOwn(past.values, name) ? null : (past.unknown.get(name) ?? 'not stored');
}

/** @throws {AuditError} ERR_AUDIT_UNKNOWN_ATTRIBUTE, ERR_AUDIT_NOT_RESTORABLE */
export function checkOnly(where: string, facts: RevertFacts): void {
  const { model } = facts.registration;
  const known = [...Object.keys(model.getAttributes()), ...Object.keys(model.associations), ...facts.dropped];
  for (const name of facts.only ?? []) {
    if (!known.includes(name)) {
      const message = `${where}: "${name}" in only is no attribute or association of ${model.name}.${didYouMean(name, known)}`;
      throw new AuditError('ERR_AUDIT_UNKNOWN_ATTRIBUTE', message);
    }
    const why = unrestorable(facts, name);
    if (why === null) continue;
    const message = `${where}: "${name}" in only can't be put back: ${why}. Leave it out of only.`;
    throw new AuditError('ERR_AUDIT_NOT_RESTORABLE', message);
  }
}

function isAsked({ only }: RevertFacts, name: string): boolean {
  return only === null || only.has(name);
}

/** The attributes that history can set, in definition order, with the key. */
function restorableNames(facts: RevertFacts): string[] {
  return storedAttributes(facts.registration.model)
    .map(([name]) => name)
    .filter((name) => unrestorable(facts, name) === null);
}

function changesOf(facts: RevertFacts): AttributeRevert[] {
  const { registration, now, past, columns } = facts;
  const isKey = (name: string): boolean =>
    registration.tracked.keys.some(({ attribute }) => attribute === name);
  const isNew = now.presence === 'absent';
  return restorableNames(facts)
    .filter((name) => (isKey(name) ? isNew : isAsked(facts, name)))
    .map((attribute) => ({
      attribute,
      now: now.values[attribute] ?? null,
      after: past.values[attribute] ?? null,
    }))
    .filter((change) => !isSameStored(columns.get(change.attribute), change.now, change.after));
}

/** A row that comes back has the creation time that history knows. */
function rowOf(facts: RevertFacts): Record<string, unknown> {
  const { registration, past } = facts;
  const { createdAt } = managedAttributes(registration.model);
  const keys = registration.tracked.keys.map(({ attribute }) => attribute);
  const asked = restorableNames(facts).filter((name) => keys.includes(name) || isAsked(facts, name));
  const names = createdAt !== null && Object.hasOwn(past.values, createdAt) ? [...asked, createdAt] : asked;
  return Object.fromEntries(names.map((name) => [name, past.values[name]]));
}

/** All that history can't give back; a caller who names attributes is told of those only, by an error. */
function skippedOf(facts: RevertFacts): SkippedAttribute[] {
  if (facts.only !== null) return [];
  const managed = managedNames(facts.registration);
  const unknown = [...facts.past.unknown].filter(([name]) => !managed.has(name));
  const lost = lostLinks(facts);
  const links = lost === null ? [] : linkedNames(facts.registration).map((name) => [name, lost] as const);
  const dropped = facts.dropped.map((name) => [name, 'dropped'] as const);
  return [...unknown, ...dropped, ...links].map(([attribute, why]) => ({ attribute, why }));
}

function enumValues(type: unknown): readonly string[] | null {
  const { values, type: element } = (type ?? {}) as { values?: unknown; type?: unknown };
  if (Array.isArray(values)) return values as string[];
  return typeof element === 'object' ? enumValues(element) : null;
}

/** Values that an ENUM of the model doesn't have any more. */
function enumObstacles({ registration }: RevertFacts, changes: readonly AttributeRevert[]): Obstacle[] {
  const types = new Map(storedAttributes(registration.model).map(([name, { type }]) => [name, type]));
  return changes.flatMap(({ attribute, after }) => {
    const allowed = enumValues(types.get(attribute));
    const given = Array.isArray(after) ? (after as unknown[]) : [after];
    const gone =
      allowed === null
        ? undefined
        : given.find((each): each is string => typeof each === 'string' && !allowed.includes(each));
    return gone === undefined ? [] : [{ attribute, why: `"${gone}" is none of the values it may have now` }];
  });
}

/** What puts the object back, and what is known to stand in the way before it is tried. */
export function planOf(facts: RevertFacts): RevertPlan {
  const changes = changesOf(facts);
  return {
    changes,
    links: facts.links.filter(({ attribute }) => isAsked(facts, attribute)),
    skipped: skippedOf(facts),
    obstacles: enumObstacles(facts, changes),
    row: rowOf(facts),
  };
}

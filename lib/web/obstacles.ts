import type { Obstacle } from '../revert/obstacles';
import type { SkippedAttribute } from '../revert/plan';
import { isReprMadeOf } from './hidden';
import type { MessageKey } from './messages';
import { fieldOf } from './parts/fields';
import type { Visit } from './visit';

/** What stands in the way of a change, as one visitor may be told it. */
export interface ShownObstacle {
  /** The label of the field that it is about, where one is known and seen. */
  readonly field: string | null;
  readonly why: string;
  /** The database's own words, which name tables and constraints and may hold values: for who sees all of the model. */
  readonly words: string | null;
}

/** What the database refuses, by SQLSTATE. */
const REFUSALS: Readonly<Record<string, MessageKey>> = {
  '23505': 'obstacle.unique',
  '23502': 'obstacle.required',
  '23514': 'obstacle.rule',
  '23P01': 'obstacle.overlap',
  '22001': 'obstacle.tooLong',
  '42804': 'obstacle.unfit',
  '428C9': 'obstacle.computed',
};
/** A row that is referred to, or refers to what is not there: which of the two, the field tells. */
const REFERENCES = ['23503', '23001'];
/** What a trigger of the application raises is written for people. */
const RAISED = 'P0001';

function seesAll({ access, web }: Visit, model: string | null): boolean {
  return model === null ? web.options.canSee === null : access.hidden(model).length === 0;
}

function isKey({ web }: Visit, model: string, attribute: string): boolean {
  const keys = web.settings.registry.findByName(model)?.tracked.keys ?? [];
  return keys.some((key) => key.attribute === attribute);
}

function refusalKey(visit: Visit, model: string | null, { attribute, sqlState = '' }: Obstacle): MessageKey {
  if (REFERENCES.includes(sqlState)) {
    const isReference = model !== null && attribute !== undefined && !isKey(visit, model, attribute);
    return isReference ? 'obstacle.missing' : 'obstacle.referred';
  }
  if (Object.hasOwn(REFUSALS, sqlState)) return REFUSALS[sqlState]!;
  return sqlState.startsWith('22') ? 'obstacle.unfit' : 'obstacle.refused';
}

/** A sentence of the library without its advice for programs, and with instants as the page writes times. */
function forPeople({ clock }: Visit, sentence: string): string {
  return sentence
    .replace(/ \(force: true [^)]*\)$/, '')
    .replaceAll(/\d{4}-\d{2}-\d{2}T[\d:]{8}\.\d{6}Z/g, (instant) => clock.full(instant));
}

/** Whether the visitor sees all of the model, at least the field that it is about, or neither. */
function sightOf(visit: Visit, model: string | null, { attribute }: Obstacle): 'all' | 'field' | 'none' {
  if (seesAll(visit, model)) return 'all';
  return model !== null && attribute !== undefined && visit.access.sees(model, attribute) ? 'field' : 'none';
}

/** An obstacle in words for people: of what the visitor doesn't see it tells only that there is something. */
export function shownObstacle(visit: Visit, model: string | null, obstacle: Obstacle): ShownObstacle {
  const { attribute, why, sqlState } = obstacle;
  const sight = sightOf(visit, model, obstacle);
  if (sight === 'none') return { field: null, why: visit.texts.t('obstacle.unseen'), words: null };
  const field = attribute === undefined || model === null ? null : fieldOf(visit, model, attribute).label;
  if (sqlState === undefined || (sqlState === RAISED && sight === 'all'))
    return { field, why: forPeople(visit, why), words: null };
  const words = sight === 'all' ? why : null;
  return { field, why: visit.texts.t(refusalKey(visit, model, obstacle)), words };
}

/** The same for programs: by attribute, in the words of whoever refuses where the visitor may read them. */
export function obstacleJson(visit: Visit, model: string, obstacle: Obstacle): Omit<Obstacle, 'sqlState'> {
  const { attribute, why, sqlState } = obstacle;
  const sight = sightOf(visit, model, obstacle);
  const isReadable = sight === 'all' || (sight === 'field' && sqlState === undefined);
  return {
    ...(sight !== 'none' && attribute !== undefined && { attribute }),
    why: isReadable ? why : shownObstacle(visit, model, obstacle).why,
  };
}

/** Why something is left as it is; the name of an object that is gone may be made of what the visitor doesn't see. */
export function skippedWhy(visit: Visit, model: string, { attribute, why }: SkippedAttribute): string {
  const { registry } = visit.web.settings;
  const target = registry.findByName(model)?.model.associations[attribute]?.target;
  const registration = target ? registry.find(target) : null;
  const isUnseen = registration && isReprMadeOf(registration, visit.access.hidden(registration.name));
  return isUnseen ? visit.texts.t('obstacle.missing') : why;
}

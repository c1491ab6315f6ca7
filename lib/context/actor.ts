import type { Model, ModelStatic } from 'sequelize';
import { LABEL_ATTRIBUTES, MASK_TEXT } from '../core/options';
import type { ActorInput } from '../core/types';
import { isInstance, keyOfInstance, scalarText, type Instance } from './instances';
import { fitsStrictType, typeKeyOf } from './key-types';
import { attempt, DEFAULT_SETTINGS, rejectPromise, type ContextSettings } from './settings';
import { boundedText } from './text';

/** Characters kept of an actor's id, label and type. */
export const MAX_ACTOR_TEXT = 255;

/** Who, as an entry keeps it. */
export interface Actor {
  readonly id: string;
  /** Null when not known; an entry then shows the id. */
  readonly label: string | null;
  readonly type: string | null;
  /** The label is to be read from the row of `actor.model`. */
  readonly labelFromRow: boolean;
}

function actorText(value: unknown): string | null {
  const text = scalarText(value);
  const bounded = text === null ? '' : boundedText(text, MAX_ACTOR_TEXT);
  return bounded.trim() === '' ? null : bounded;
}

const TEXT_TYPES = ['STRING', 'TEXT', 'CITEXT'];

/** Whether PostgreSQL can compare `id` with the model's key; a comparison that raises would fail the application's write. */
function fitsKey(model: ModelStatic<Model>, id: string): boolean {
  const [key, ...others] = model.primaryKeyAttributes;
  if (key === undefined || others.length > 0) return false;
  const type = typeKeyOf(model, key) ?? '';
  return fitsStrictType(type, id) ?? TEXT_TYPES.includes(type);
}

/**
 * The attribute of `actor.model` that is read from its row as the label; null when there is none that may be shown.
 *
 * @example
 * labelAttribute(settings); // 'email'
 */
export function labelAttribute(settings: ContextSettings): string | null {
  const { model, label } = settings.options.actor;
  if (model === null) return null;
  if (typeof label === 'string' && settings.isMasked(model, label)) return null;
  const isColumn = (name: string): boolean => !['VIRTUAL', undefined].includes(attributeKind(model, name));
  if (typeof label === 'string' && isColumn(label)) return label;
  return LABEL_ATTRIBUTES.find((name) => isColumn(name) && !settings.isMasked(model, name)) ?? null;
}

function attributeKind(model: ModelStatic<Model>, name: string): string | undefined {
  return Object.hasOwn(model.getAttributes(), name) ? (typeKeyOf(model, name) ?? 'OTHER') : undefined;
}

/** How an actor's label is found: what it is, whose masks apply, and how an attribute of it is read. */
interface Described {
  readonly user: object;
  readonly model: ModelStatic<Model> | null;
  readonly read: (attribute: string) => unknown;
}

/** The label by the option; undefined when the option does not speak of this actor. */
function configuredLabel(
  settings: ContextSettings,
  id: string,
  described: Described,
): string | null | undefined {
  const { label } = settings.options.actor;
  if (label === null) return undefined;
  if (typeof label === 'function') return computedLabel(settings, label(described.user as never)) ?? id;
  const { model } = described;
  if (model !== null && attributeKind(model, label) === undefined) return undefined;
  if (model !== null && settings.isMasked(model, label)) return MASK_TEXT;
  return actorText(described.read(label));
}

/** What a function leaves empty stays hidden behind the id: no search for an e-mail address it may have avoided. */
function computedLabel(settings: ContextSettings, given: unknown): string | null {
  return rejectPromise(settings, 'actor.label', given) ? null : actorText(given);
}

function foundLabel(settings: ContextSettings, { model, read }: Described): string | null {
  // A snapshot outside any known log could carry a value that a log masks.
  if (settings === DEFAULT_SETTINGS) return null;
  for (const name of LABEL_ATTRIBUTES) {
    if (model !== null && settings.isMasked(model, name)) continue;
    const label = actorText(read(name));
    if (label !== null) return label;
  }
  return null;
}

function labelOf(settings: ContextSettings, id: string, described: Described): string | null {
  const answer = attempt(settings, 'actor.label', () => {
    const configured = configuredLabel(settings, id, described);
    return { label: configured === undefined ? foundLabel(settings, described) : configured };
  });
  return answer === null ? id : answer.label;
}

/** Completes an actor: without a label it is read from the row, when the actor is one of `actor.model`. */
function withLabel(settings: ContextSettings, id: string, type: string | null, label: string | null): Actor {
  const { model } = settings.options.actor;
  const isRow = label === null && model !== null && type === model.name && fitsKey(model, id);
  return { id, label, type, labelFromRow: isRow && labelAttribute(settings) !== null };
}

/** With a masked attribute chosen as label, an id alone shows the mask, as the whole user would. */
function actorById(settings: ContextSettings, id: string): Actor {
  const { model, label } = settings.options.actor;
  const isMasked = model !== null && typeof label === 'string' && settings.isMasked(model, label);
  return withLabel(settings, id, model?.name ?? null, isMasked ? MASK_TEXT : null);
}

function actorOfInstance(settings: ContextSettings, instance: Instance): Actor | null {
  const id = actorText(keyOfInstance(instance));
  if (id === null) return null;
  const model = instance.constructor;
  const label = labelOf(settings, id, { user: instance, model, read: (name) => instance.get(name) });
  const actor = withLabel(settings, id, actorText(model.name), label);
  const isOurs = model.sequelize === settings.options.actor.model?.sequelize;
  return isOurs ? actor : { ...actor, labelFromRow: false };
}

function actorOfObject(settings: ContextSettings, user: Readonly<Record<string, unknown>>): Actor | null {
  const id = actorText(user['id']);
  if (id === null) return null;
  const { model } = settings.options.actor;
  const given = actorText(user['type']);
  const type = given ?? model?.name ?? null;
  const label = actorText(user['label']);
  if (label !== null) return withLabel(settings, id, type, label);
  // Its masks apply to every plain object: a `type` may be a column of the user's own.
  const described = { user, model, read: (name: string) => user[name] };
  return withLabel(settings, id, type, labelOf(settings, id, described));
}

/**
 * Who an actor is: an id, `{ id, label?, type? }`, any object with an `id`, or a Sequelize instance; anything else is nobody.
 * A label or type that is null counts as not given.
 *
 * @example
 * readActor(settings, { id: 7, email: 'ann@example.com' }); // { id: '7', label: 'ann@example.com', type: null, labelFromRow: false }
 */
export function readActor(settings: ContextSettings, input: ActorInput): Actor | null {
  if (input === null || input === undefined) return null;
  return attempt(settings, 'actor', () => {
    if (typeof input !== 'object') {
      const id = actorText(input);
      return id === null ? null : actorById(settings, id);
    }
    if (isInstance(input)) return actorOfInstance(settings, input);
    return actorOfObject(settings, input as Readonly<Record<string, unknown>>);
  });
}

import { MASK_TEXT } from '../../core/options';
import type { JsonValue } from '../../core/types';
import { fieldLabel } from '../field-label';
import type { Visit } from '../visit';

/** What parts that show values need of a visit: also what is rendered without a request has it. */
export type Showing = Pick<Visit, 'texts' | 'clock' | 'web'>;

/** What is known of an attribute or association whose values are shown. */
export interface Field {
  readonly name: string;
  readonly label: string;
  readonly isMasked: boolean;
  /** A moment, not only text that looks like one. */
  readonly isInstant: boolean;
}

/** The field by the registration as it is now; what no registration knows is shown under its own name. */
export function fieldOf({ web }: Showing, model: string, name: string): Field {
  const registration = web.settings.registry.findByName(model);
  const type = registration?.tracked.columns.find(({ attribute }) => attribute === name)?.type;
  return {
    name,
    label: registration ? fieldLabel(registration, name) : name,
    isMasked: registration?.masked.includes(name) ?? false,
    isInstant: (type as { key?: string } | undefined)?.key === 'DATE',
  };
}

const EXACT = /^\d{4}-\d{2}-\d{2}T[\d:.]+Z$/;

export function isInstant({ isInstant: isDate }: Field, value: JsonValue): value is string {
  return isDate && typeof value === 'string' && EXACT.test(value);
}

/** A text that really is a mask, and not one that only looks so. */
export function isMask({ isMasked }: Field, value: JsonValue): value is string {
  return isMasked && typeof value === 'string' && value.startsWith(MASK_TEXT);
}

import { MASK_TEXT } from '../core/options';
import type { JsonValue } from '../core/types';
import type { MaskRule } from '../schema/registration';

/** As the statements of writes mask it: null stays null, a text not longer than twice what is kept is masked whole. */
export function maskedValue(value: JsonValue, { keepLast }: MaskRule): JsonValue {
  if (value === null) return null;
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
  // By characters, as PostgreSQL counts.
  const characters = Array.from(text);
  return (
    MASK_TEXT + (keepLast > 0 && characters.length > 2 * keepLast ? characters.slice(-keepLast).join('') : '')
  );
}

/** The mask of what was recorded, which is one unless the attribute was masked later on. */
export function recordedMask(recorded: JsonValue, rule: MaskRule): JsonValue {
  const text = typeof recorded === 'string' && recorded.startsWith(MASK_TEXT) ? recorded : null;
  const isMask = text !== null && Array.from(text).length <= MASK_TEXT.length + rule.keepLast;
  return isMask ? text : maskedValue(recorded, rule);
}

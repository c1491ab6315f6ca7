import type { JSX } from 'preact';
import type { JsonValue, ValueChange } from '../../core/types';
import { shortTexts } from '../short-values';
import { isInstant, isMask, type Field, type Showing } from './fields';
import { Moment } from './moment';
import { Null } from './value';

/** A value within a sentence. What is no text looks different from a text that says the same. */
function ShortValue({
  visit,
  field,
  value,
  text,
}: {
  readonly visit: Showing;
  readonly field: Field;
  readonly value: JsonValue;
  /** The value, shortened. */
  readonly text: string;
}): JSX.Element {
  const { texts } = visit;
  if (value === null) return <Null visit={visit} />;
  if (text === '') return <span class="blank">{texts.t('value.empty')}</span>;
  if (isInstant(field, value)) return <Moment visit={visit} at={value} bare />;
  if (!isMask(field, value)) return <span class="value">{text}</span>;
  return (
    <span class="value masked" title={texts.t('value.masked')}>
      {text}
    </span>
  );
}

/** The old and the new value of a change, each as a slot of a sentence. */
export function shortValues(
  visit: Showing,
  field: Field,
  [old, now]: ValueChange,
): { old: JSX.Element; new: JSX.Element } {
  const [oldText, newText] = shortTexts(old, now);
  return {
    old: <ShortValue visit={visit} field={field} value={old} text={oldText} />,
    new: <ShortValue visit={visit} field={field} value={now} text={newText} />,
  };
}

import type { JSX } from 'preact';
import type { Visit } from '../visit';
import { PostForm } from './layout';

/** Asks for the reason; what would be done is shown before it is done. */
export function UndoForm({
  visit,
  action,
  reason = '',
  isPreviewed = false,
}: {
  readonly visit: Visit;
  readonly action: string;
  readonly reason?: string;
  /** Whether the visitor has seen what it does. @default false */
  readonly isPreviewed?: boolean;
}): JSX.Element {
  const { texts } = visit;
  return (
    <PostForm visit={visit} action={action} class="undo">
      <p class="field-row">
        <label for="undo-reason">{texts.t('undo.reason')}</label>
        <input id="undo-reason" name="reason" required maxLength={2000} value={reason} autocomplete="off" />
      </p>
      <div class="actions">
        {isPreviewed ? (
          <>
            <button type="submit" class="danger">
              {texts.t('undo.confirm')}
            </button>
            <a class="button" href={action}>
              {texts.t('undo.cancel')}
            </a>
          </>
        ) : (
          <button type="submit" name="preview" value="1">
            {texts.t('undo.preview')}
          </button>
        )}
      </div>
    </PostForm>
  );
}

/** The offer at the end of a page about what was done. */
export function UndoOffer({
  visit,
  action,
}: {
  readonly visit: Visit;
  readonly action: string;
}): JSX.Element {
  const { texts } = visit;
  return (
    <section class="panel no-print">
      <h2>{texts.t('undo.title')}</h2>
      <p class="lead">{texts.t('undo.lead')}</p>
      <UndoForm visit={visit} action={action} />
    </section>
  );
}

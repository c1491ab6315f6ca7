import type { JSX } from 'preact';
import type { EntryView } from '../entry-view';
import type { Visit } from '../visit';

/** Who did it, with a link to all they did; a null actor is the system. */
export function ActorLink({
  visit: { urls, texts },
  entry: { actorId, actorLabel },
}: {
  readonly visit: Visit;
  readonly entry: Pick<EntryView, 'actorId' | 'actorLabel'>;
}): JSX.Element {
  if (actorId === null) return <span class="actor">{actorLabel ?? texts.t('actor.system')}</span>;
  return (
    <a class="actor" href={urls.actor(actorId)}>
      {actorLabel ?? actorId}
    </a>
  );
}

/** The object as it was called then, with a link to its timeline. */
export function ObjectLink({
  visit: { urls },
  entry: { model, objectPk, objectRepr },
}: {
  readonly visit: Visit;
  readonly entry: Pick<EntryView, 'model' | 'objectPk' | 'objectRepr'>;
}): JSX.Element {
  if (objectPk === null) return <span class="object">{objectRepr ?? model}</span>;
  return (
    <a class="object" href={urls.object(model, objectPk)}>
      {objectRepr ?? `${model} ${objectPk}`}
    </a>
  );
}

const WITH_SCHEME = /^[a-z][a-z0-9+.-]*:/i;

/** The host's own page about an object; only http(s) and relative addresses, since `javascript:` would run. */
export function hostLink({ web }: Visit, model: string, pk: string): string | null {
  const link = web.options.linkTo?.(model, pk);
  if (typeof link !== 'string' || link === '') return null;
  // Browsers drop these characters before they look for a scheme.
  // oxlint-disable-next-line no-control-regex
  const bare = link.replaceAll(/[\u0000-\u0020]/g, '');
  return !WITH_SCHEME.test(bare) || /^https?:/i.test(bare) ? link : null;
}

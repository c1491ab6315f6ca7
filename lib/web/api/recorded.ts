import { json } from '../answers';
import { viewing } from '../record-view';
import type { Visit } from '../visit';

/** With `recordViews`, an entry says that the object was viewed: before it is sent, as for pages. */
export async function recorded(
  visit: Visit,
  { model, pk }: { readonly model: string; readonly pk: string },
  objectRepr: string | null,
): Promise<void> {
  await viewing(visit, { model, objectPk: pk, objectRepr: objectRepr ?? `${model} ${pk}` }, () => json(null));
}

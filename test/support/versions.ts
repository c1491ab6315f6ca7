import type { Model } from 'sequelize';
import type { AuditedModel } from 'sequelize-auditlog';

type ObjectOf<M extends Model> = Parameters<AuditedModel<M>['versions']>[0];

/** The story that the versions of one object tell of one attribute, oldest first: `[['+', 'new'], ['~', 'paid']]`. */
export async function storyOf<M extends Model>(
  handle: AuditedModel<M>,
  object: ObjectOf<M>,
  attribute: string,
): Promise<[string, unknown][]> {
  const versions = await handle.versions(object);
  return versions.map((each) => [each.historyType, each.get(attribute)] as [string, unknown]).toReversed();
}

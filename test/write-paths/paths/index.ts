import type { WritePath } from '../path';
import { BULK_PATHS } from './bulk';
import { CASCADE_PATHS } from './cascades';
import { COLUMN_PATHS } from './columns';
import { CREATE_PATHS } from './create';
import { DESTROY_PATHS } from './destroy';
import { INCREMENT_PATHS } from './increment';
import { INSTANCE_PATHS } from './instance';
import { KEY_PATHS } from './keys';
import { LINK_PATHS } from './links';
import { MIXIN_PATHS } from './mixins';
import { NESTED_PATHS } from './nested';
import { RAW_PATHS } from './raw';
import { STATIC_UPDATE_PATHS } from './static-update';
import { TABLE_PATHS } from './tables';
import { UPSERT_PATHS } from './upsert';

/** Every way to write that is proved, by subject. */
export const WRITE_PATHS: readonly WritePath[] = [
  ...CREATE_PATHS,
  ...INSTANCE_PATHS,
  ...INCREMENT_PATHS,
  ...STATIC_UPDATE_PATHS,
  ...BULK_PATHS,
  ...UPSERT_PATHS,
  ...DESTROY_PATHS,
  ...NESTED_PATHS,
  ...MIXIN_PATHS,
  ...LINK_PATHS,
  ...CASCADE_PATHS,
  ...KEY_PATHS,
  ...COLUMN_PATHS,
  ...TABLE_PATHS,
  ...RAW_PATHS,
];

import type { Model } from 'sequelize';
import { call, pathOver, type Bench, type CallOptions, type WritePath } from '../path';

interface People {
  readonly ann: Model;
  readonly bob: Model;
  readonly profile: Model;
  readonly spare: Model;
  readonly posts: readonly [Model, Model, Model];
}

/** Ann has the profile and the first two posts. */
async function people({ models }: Bench): Promise<People> {
  const [ann, bob] = [
    await models.Account.create({ name: 'ann' }),
    await models.Account.create({ name: 'bob' }),
  ];
  const accountId = ann.get('id');
  const profile = await models.Profile.create({ motto: 'm', accountId });
  const spare = await models.Profile.create({ motto: 's' });
  const posts = await models.Post.bulkCreate([
    { title: 'p', authorId: accountId },
    { title: 'q', authorId: accountId },
    { title: 'r' },
  ]);
  return { ann, bob, profile, spare, posts: posts as unknown as People['posts'] };
}

function over(
  name: string,
  entries: number,
  act: (people: People, options: CallOptions) => Promise<unknown>,
): WritePath {
  return pathOver(name, entries, people, (_bench, options, given) => act(given, options));
}

export const MIXIN_PATHS: readonly WritePath[] = [
  over('hasOne set in place of another', 2, ({ ann, spare }, options) =>
    call(ann, 'setProfile', spare, options),
  ),
  over('hasOne set to null', 1, ({ ann }, options) => call(ann, 'setProfile', null, options)),
  over('hasOne set by key', 1, ({ bob, spare }, options) =>
    call(bob, 'setProfile', spare.get('id'), options),
  ),
  over('hasOne set to what it is', 0, ({ ann, profile }, options) =>
    call(ann, 'setProfile', profile, options),
  ),
  over('hasOne create', 1, ({ bob }, options) => call(bob, 'createProfile', { motto: 'new' }, options)),
  over('belongsTo set', 1, ({ bob, profile }, options) => call(profile, 'setAccount', bob, options)),
  over('belongsTo set by key', 1, ({ bob, profile }, options) =>
    call(profile, 'setAccount', bob.get('id'), options),
  ),
  over('belongsTo set to null', 1, ({ profile }, options) => call(profile, 'setAccount', null, options)),
  over('belongsTo set to what it is', 0, ({ ann, profile }, options) =>
    call(profile, 'setAccount', ann, options),
  ),
  over('belongsTo create', 2, ({ posts }, options) =>
    call(posts[2], 'createAuthor', { name: 'new' }, options),
  ),
  over('hasMany add', 1, ({ ann, posts }, options) => call(ann, 'addPost', posts[2], options)),
  over('hasMany add of several', 3, ({ bob, posts }, options) => call(bob, 'addPosts', [...posts], options)),
  over('hasMany add of what is there', 0, ({ ann, posts }, options) =>
    call(ann, 'addPost', posts[0], options),
  ),
  over('hasMany set', 2, ({ ann, posts }, options) => call(ann, 'setPosts', [posts[0], posts[2]], options)),
  over('hasMany set to nothing', 2, ({ ann }, options) => call(ann, 'setPosts', [], options)),
  over('hasMany remove', 1, ({ ann, posts }, options) => call(ann, 'removePost', posts[0], options)),
  over('hasMany remove of what is not there', 0, ({ bob, posts }, options) =>
    call(bob, 'removePost', posts[0], options),
  ),
  over('hasMany create', 1, ({ bob }, options) => call(bob, 'createPost', { title: 'new' }, options)),
];

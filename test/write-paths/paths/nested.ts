import { path, type WritePath } from '../path';

export const NESTED_PATHS: readonly WritePath[] = [
  path('nested create of a hasOne', 2, ({ models: { Account, Profile } }, options) =>
    Account.create(
      { name: 'a', profile: { motto: 'm' } },
      { ...options, include: [{ model: Profile, as: 'profile' }] },
    ),
  ),
  path('nested create of a hasMany', 3, ({ models: { Account, Post } }, options) =>
    Account.create(
      { name: 'a', posts: [{ title: 'p' }, { title: 'q' }] },
      { ...options, include: [{ model: Post, as: 'posts' }] },
    ),
  ),
  path('nested create of a belongsTo', 2, ({ models: { Account, Post } }, options) =>
    Post.create(
      { title: 'p', author: { name: 'a' } },
      { ...options, include: [{ model: Account, as: 'author' }] },
    ),
  ),
  path('nested create of a belongsToMany', 4, ({ models: { Post, Tag } }, options) =>
    Post.create(
      { title: 'p', tags: [{ name: 't' }] },
      { ...options, include: [{ model: Tag, as: 'tags' }] },
    ).then(() => Tag.create({ name: 'alone' }, options)),
  ),
  path(
    'nested create of a belongsToMany with a registered through model',
    5,
    ({ models: { Course, Student } }, options) =>
      Course.create(
        { title: 'c', students: [{ name: 's', Enrolment: { grade: 3 } }] },
        { ...options, include: [{ model: Student, as: 'students' }] },
      ).then(() => Student.create({ name: 'alone' }, options)),
  ),
  path('nested create of three levels', 4, ({ models: { Order, Item, Part } }, options) =>
    Order.create(
      { number: '1', items: [{ name: 'i', parts: [{ name: 'p' }, { name: 'q' }] }] },
      { ...options, include: [{ model: Item, as: 'items', include: [{ model: Part, as: 'parts' }] }] },
    ),
  ),
  path('bulkCreate with a hasMany', 5, ({ models: { Account, Post } }, options) =>
    Account.bulkCreate(
      [
        { name: 'a', posts: [{ title: 'p' }, { title: 'q' }] },
        { name: 'b', posts: [{ title: 'r' }] },
      ],
      { ...options, include: [{ model: Post, as: 'posts' }] },
    ),
  ),
  path('bulkCreate with a hasOne', 2, ({ models: { Account, Profile } }, options) =>
    Account.bulkCreate([{ name: 'a', profile: { motto: 'm' } }], {
      ...options,
      include: [{ model: Profile, as: 'profile' }],
    }),
  ),
  path('bulkCreate with a belongsTo', 4, ({ models: { Account, Post } }, options) =>
    Post.bulkCreate(
      [
        { title: 'p', author: { name: 'a' } },
        { title: 'q', author: { name: 'b' } },
      ],
      { ...options, include: [{ model: Account, as: 'author' }] },
    ),
  ),
  path('bulkCreate with a belongsToMany', 6, ({ models: { Post, Tag } }, options) =>
    Post.bulkCreate(
      [
        { title: 'p', tags: [{ name: 't' }] },
        { title: 'q', tags: [{ name: 'u' }] },
      ],
      { ...options, include: [{ model: Tag, as: 'tags' }] },
    ),
  ),
  path('save of a built instance with children', 2, ({ models: { Account, Post } }, options) =>
    Account.build({ name: 'a', posts: [{ title: 'p' }] }, { include: [{ model: Post, as: 'posts' }] }).save(
      options,
    ),
  ),
];

import type { Model } from 'sequelize';
import { call, pathOver, type Bench, type CallOptions, type WritePath } from '../path';

interface Linked {
  readonly posts: readonly [Model, Model];
  readonly tags: readonly [Model, Model, Model];
  readonly label: Model;
}

/** The first post has the first two tags, the second has the second tag. */
async function tagged({ models }: Bench): Promise<Linked> {
  const posts = await models.Post.bulkCreate([{ title: 'p' }, { title: 'q' }]);
  const tags = await models.Tag.bulkCreate([{ name: 'a' }, { name: 'b' }, { name: 'c' }]);
  await call(posts[0]!, 'setTags', [tags[0], tags[1]]);
  await call(posts[1]!, 'setTags', [tags[1]]);
  const label = await models.Label.create({ name: 'l' });
  return { posts: posts as unknown as Linked['posts'], tags: tags as unknown as Linked['tags'], label };
}

function over(
  name: string,
  entries: number,
  act: (given: Linked, options: CallOptions) => Promise<unknown>,
): WritePath {
  return pathOver(name, entries, tagged, (_bench, options, given) => act(given, options));
}

interface Enrolled {
  readonly course: Model;
  readonly students: readonly [Model, Model];
}

/** The first student is in the course. */
async function enrolled({ models }: Bench): Promise<Enrolled> {
  const course = await models.Course.create({ title: 'c' });
  const students = await models.Student.bulkCreate([{ name: 's' }, { name: 't' }]);
  await call(course, 'addStudent', students[0], { through: { grade: 1 } });
  return { course, students: students as unknown as Enrolled['students'] };
}

function overCourse(
  name: string,
  entries: number,
  act: (given: Enrolled, options: CallOptions, bench: Bench) => Promise<unknown>,
): WritePath {
  return pathOver(name, entries, enrolled, (bench, options, given) => act(given, options, bench));
}

const UNREGISTERED: readonly WritePath[] = [
  over('link', 1, ({ posts, tags }, options) => call(posts[0], 'addTag', tags[2], options)),
  over('link of what is linked', 0, ({ posts, tags }, options) => call(posts[0], 'addTag', tags[0], options)),
  over('links of several of which one is there', 1, ({ posts, tags }, options) =>
    call(posts[1], 'addTags', [...tags], options),
  ),
  over('link by key', 1, ({ posts, tags }, options) => call(posts[0], 'addTag', tags[2].get('id'), options)),
  over('unlink', 1, ({ posts, tags }, options) => call(posts[0], 'removeTag', tags[0], options)),
  over('unlink of what is not linked', 0, ({ posts, tags }, options) =>
    call(posts[0], 'removeTag', tags[2], options),
  ),
  over('links set', 2, ({ posts, tags }, options) => call(posts[0], 'setTags', [tags[1], tags[2]], options)),
  over('links set to nothing', 1, ({ posts }, options) => call(posts[0], 'setTags', [], options)),
  over('links set to what they are', 0, ({ posts, tags }, options) =>
    call(posts[0], 'setTags', [tags[0], tags[1]], options),
  ),
  over('link from the other side', 1, ({ posts, tags }, options) =>
    call(tags[2], 'addPost', posts[0], options),
  ),
  over('links of several owners from the other side', 2, ({ posts, tags }, options) =>
    call(tags[2], 'setPosts', [...posts], options),
  ),
  over('unlink from the other side', 2, ({ tags }, options) => call(tags[1], 'setPosts', [], options)),
  over('create of a linked row', 2, ({ posts }, options) =>
    call(posts[0], 'createTag', { name: 'new' }, options),
  ),
  over('create of an owner from the other side', 2, ({ tags }, options) =>
    call(tags[0], 'createPost', { title: 'new' }, options),
  ),
  over('destroy of a linked row', 3, ({ tags }, options) => call(tags[1], 'destroy', options)),
  over('destroy of an owner of links', 1, ({ posts }, options) => call(posts[0], 'destroy', options)),
  over('link of an association that is not tracked', 0, ({ posts, label }, options) =>
    call(posts[0], 'addLabel', label, options),
  ),
];

const REGISTERED: readonly WritePath[] = [
  overCourse('link with a registered through model', 2, ({ course, students }, options) =>
    call(course, 'addStudent', students[1], { ...options, through: { grade: 5 } }),
  ),
  overCourse('link again with other values', 1, ({ course, students }, options) =>
    call(course, 'addStudent', students[0], { ...options, through: { grade: 6 } }),
  ),
  overCourse('links set with a registered through model', 4, ({ course, students }, options) =>
    call(course, 'setStudents', [students[1]], options),
  ),
  overCourse('unlink with a registered through model', 2, ({ course, students }, options) =>
    call(course, 'removeStudent', students[0], options),
  ),
  overCourse('link from the other side with a registered through model', 2, ({ course, students }, options) =>
    call(students[1], 'addCourse', course, options),
  ),
  overCourse('create of a row of the through model', 2, ({ course, students }, options, { models }) =>
    models.Enrolment.create(
      { courseId: course.get('id'), studentId: students[1].get('id'), grade: 2 },
      options,
    ),
  ),
  overCourse('destroy of rows of the through model', 2, (_given, options, { models }) =>
    models.Enrolment.destroy({ ...options, where: {} }),
  ),
  overCourse('update of a link to another target', 3, ({ students }, options, { models }) =>
    models.Enrolment.update({ studentId: students[1].get('id') }, { ...options, where: {} }),
  ),
  overCourse('destroy of a target with a registered through model', 3, ({ students }, options) =>
    students[0].destroy(options),
  ),
  overCourse('destroy of an owner with a registered through model', 2, ({ course }, options) =>
    course.destroy(options),
  ),
];

export const LINK_PATHS = [...UNREGISTERED, ...REGISTERED];

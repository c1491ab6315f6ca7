import { literal, type Model } from 'sequelize';
import type { AnyModel, Models } from '../models';
import { path, pathOver, type WritePath } from '../path';

interface Kind {
  readonly name: string;
  readonly model: (models: Models) => AnyModel;
  readonly first: object;
  readonly second: object;
  readonly change: object;
}

const KINDS: readonly Kind[] = [
  {
    name: 'a composite key',
    model: ({ Seat }) => Seat,
    first: { row: 'a/b,"c"', number: 1, guest: 'g' },
    second: { row: 'a/b', number: 2 },
    change: { guest: 'h' },
  },
  {
    name: 'a UUID key',
    model: ({ Device }) => Device,
    first: { model: 'x' },
    second: { model: 'y' },
    change: { model: 'z' },
  },
  {
    name: 'a text key',
    model: ({ Country }) => Country,
    first: { iso: `D'"\\ü`, name: 'x' },
    second: { iso: 'FR' },
    change: { name: 'z' },
  },
  {
    name: 'a BIGINT key',
    model: ({ Event }) => Event,
    first: { id: '9223372036854775806', what: 'x' },
    second: { what: 'y' },
    change: { what: 'z' },
  },
  {
    name: 'a date key',
    model: ({ Rate }) => Rate,
    first: { day: '2024-02-29', percent: '1.10' },
    second: { day: '0099-01-01' },
    change: { percent: '1.1' },
  },
];

function pathsOf({ name, model, first, second, change }: Kind): WritePath[] {
  const made = (models: Models): Promise<Model> => model(models).create({ ...first });
  return [
    path(`create with ${name}`, 1, ({ models }, options) => model(models).create({ ...first }, options)),
    path(`bulkCreate with ${name}`, 2, ({ models }, options) =>
      model(models).bulkCreate([{ ...first }, { ...second }], options),
    ),
    pathOver(
      `update with ${name}`,
      1,
      ({ models }) => made(models),
      (_bench, options, row) => row.update(change, options),
    ),
    pathOver(
      `destroy with ${name}`,
      1,
      ({ models }) => made(models),
      (_bench, options, row) => row.destroy(options),
    ),
  ];
}

const MOVES: readonly WritePath[] = [
  pathOver(
    'Model.update of a primary key',
    2,
    ({ models }) => models.Country.create({ iso: 'DE', name: 'x' }),
    ({ models }, options) => models.Country.update({ iso: 'AT' }, { ...options, where: { iso: 'DE' } }),
  ),
  pathOver(
    'Model.update of a primary key and more, with versions',
    2,
    ({ models }) => models.Account.create({ name: 'a', age: 1 }),
    ({ models }, options) =>
      models.Account.update({ id: 2_000_001, name: 'b' }, { ...options, where: { age: 1 } }),
  ),
  pathOver(
    'Model.update of all primary keys',
    4,
    ({ models }) =>
      models.Event.bulkCreate([
        { id: 10, what: 'x' },
        { id: 20, what: 'y' },
      ]),
    ({ models }, options) => models.Event.update({ id: literal('id + 1000') }, { ...options, where: {} }),
  ),
  pathOver(
    'Model.update of a primary key to what it is',
    1,
    ({ models }) => models.Country.create({ iso: 'DE', name: 'x' }),
    ({ models }, options) =>
      models.Country.update({ iso: 'DE', name: 'y' }, { ...options, where: { iso: 'DE' } }),
  ),
  pathOver(
    'Model.update of a part of a composite key',
    3,
    ({ models }) =>
      models.Seat.bulkCreate([
        { row: 'A', number: 1, guest: 'g' },
        { row: 'B', number: 1, guest: 'h' },
      ]),
    ({ models }, options) =>
      models.Seat.update(
        { row: 'B', number: literal(`case row when 'A' then 7 else number end`), guest: 'i' },
        { ...options, where: {} },
      ),
  ),
];

export const KEY_PATHS = [...KINDS.flatMap(pathsOf), ...MOVES];

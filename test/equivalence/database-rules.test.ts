import { DataTypes, type Model, type ModelStatic, type Sequelize } from 'sequelize';
import { equivalence } from './support/equivalence';
import { RESTRICTED } from './support/restricted';
import type { Recorder } from './support/hook-recorder';

type Ruled = Record<'Booking' | 'Note' | 'Parent' | 'Child', ModelStatic<Model>>;

function define(sequelize: Sequelize, recorder: Recorder): Ruled {
  const model = (name: string, attributes: Parameters<Sequelize['define']>[1]): ModelStatic<Model> =>
    sequelize.define(name, attributes, {
      tableName: name.toLowerCase(),
      hooks: recorder.hooksFor(name),
      timestamps: false,
    });
  return {
    Booking: model('Booking', { room: DataTypes.INTEGER, hours: DataTypes.RANGE(DataTypes.INTEGER) }),
    Note: model('Note', { text: DataTypes.TEXT, size: DataTypes.INTEGER }),
    Parent: model('Parent', { name: DataTypes.STRING }),
    Child: model('Child', { parentId: DataTypes.INTEGER, name: DataTypes.STRING }),
  };
}

/** What a word in the text asks for: to fail, to be dropped, or to be counted. */
const TRIGGER = `create function guard() returns trigger language plpgsql as $$ begin
  if tg_op = 'DELETE' then
    if old.text = 'keep' then return null; end if;
    if old.text = 'hold' then raise exception 'held %', old.id using errcode = 'P0001', hint = 'let go'; end if;
    return old;
  end if;
  if new.text = 'raise' then raise exception 'refused %', new.text using errcode = '22000', detail = 'a detail', hint = 'a hint'; end if;
  if new.text = 'drop' then return null; end if;
  if new.text = 'warn' then raise warning 'warned'; end if;
  new.size := length(new.text);
  return new;
end $$`;

const tested = equivalence({
  define,
  // Where findOrCreate finds its row taken, Sequelize reads by a second connection.
  options: { pool: { max: 2 } },
  ddl: [
    'alter table booking add constraint booking_hours exclude using gist (hours with &&)',
    TRIGGER,
    'create trigger guard before insert or update or delete on note for each row execute function guard()',
    'alter table child add constraint child_parent foreign key ("parentId") references parent (id) on delete restrict deferrable initially deferred',
    'alter table child add constraint child_name unique (name) deferrable initially deferred',
  ],
});

const booked = ({ Booking }: Ruled): Promise<unknown> => Booking.create({ room: 1, hours: [1, 5] });
const noted = ({ Note }: Ruled): Promise<unknown> =>
  Note.bulkCreate([{ text: 'a' }, { text: 'keep' }, { text: 'hold' }]);

tested.test({
  'create with a range': {
    run: ({ Booking, tx }) =>
      Booking.create({ room: 1, hours: [{ value: 1, inclusive: false }, 5] }, { ...tx }),
  },
  'create that an exclusion forbids': {
    throws: 'SequelizeExclusionConstraintError',
    prepare: booked,
    run: ({ Booking, tx }) => Booking.create({ room: 2, hours: [4, 9] }, { ...tx }),
  },
  'update that an exclusion forbids': {
    throws: 'SequelizeExclusionConstraintError',
    prepare: async (world) => [await booked(world), await world.Booking.create({ room: 2, hours: [7, 9] })],
    run: ({ Booking, tx }) => Booking.update({ hours: [2, 3] }, { ...tx, where: { room: 2 } }),
  },
  'create that a trigger changes': {
    run: ({ Note, tx }) => Note.create({ text: 'four', size: 1 }, { ...tx }),
  },
  'create that a trigger refuses': {
    throws: 'SequelizeDatabaseError',
    run: ({ Note, tx }) => Note.create({ text: 'raise' }, { ...tx }),
  },
  'create that a trigger drops': {
    throws: 'SequelizeEmptyResultError',
    run: ({ Note, tx }) => Note.create({ text: 'drop' }, { ...tx }),
  },
  'create that a trigger warns of': { run: ({ Note, tx }) => Note.create({ text: 'warn' }, { ...tx }) },
  'bulkCreate of which a trigger drops a row': {
    entries: 2,
    run: ({ Note, tx }) => Note.bulkCreate([{ text: 'x' }, { text: 'drop' }, { text: 'y' }], { ...tx }),
  },
  'bulkCreate of which a trigger refuses a row': {
    throws: 'SequelizeDatabaseError',
    run: ({ Note, tx }) => Note.bulkCreate([{ text: 'x' }, { text: 'raise' }], { ...tx }),
  },
  'findOrCreate that a trigger drops': {
    throws: 'SequelizeUniqueConstraintError',
    run: ({ Note, tx }) => Note.findOrCreate({ ...tx, where: { text: 'drop' } }),
  },
  'upsert that a trigger drops': {
    entries: 0,
    run: ({ Note, tx }) => Note.upsert({ id: 1, text: 'drop' }, { ...tx }),
  },
  'update that a trigger changes': {
    prepare: noted,
    run: ({ Note, tx }) => Note.update({ text: 'longer' }, { ...tx, where: { text: 'a' }, returning: true }),
  },
  'update that a trigger refuses': {
    throws: 'SequelizeDatabaseError',
    prepare: noted,
    run: ({ Note, tx }) => Note.update({ text: 'raise' }, { ...tx, where: {} }),
  },
  'update that a trigger drops': {
    prepare: noted,
    entries: 0,
    run: ({ Note, tx }) => Note.update({ text: 'drop' }, { ...tx, where: {} }),
  },
  'update of an instance that a trigger drops': {
    prepare: noted,
    entries: 0,
    run: async ({ Note, tx }) =>
      (await Note.findByPk(1, { ...tx, rejectOnEmpty: true })).update({ text: 'drop' }, { ...tx }),
  },
  'destroy of which a trigger keeps a row': {
    prepare: noted,
    entries: 1,
    run: ({ Note, tx }) => Note.destroy({ ...tx, where: { id: [1, 2] } }),
  },
  'destroy that a trigger refuses': {
    throws: 'SequelizeDatabaseError',
    prepare: noted,
    run: ({ Note, tx }) => Note.destroy({ ...tx, where: {} }),
  },
  'create of a child without its parent, until the commit': {
    throws: 'SequelizeForeignKeyConstraintError',
    run: ({ Child, tx }) => Child.create({ parentId: 9, name: 'orphan' }, { ...tx }),
  },
  'create of a child before its parent': {
    modes: ['a transaction', 'a savepoint'],
    entries: 2,
    run: async ({ Child, Parent, tx }) => [
      await Child.create({ parentId: 9 }, { ...tx }),
      await Parent.create({ id: 9 }, { ...tx }),
    ],
  },
  'create of a name that is taken, until the commit': {
    throws: 'SequelizeUniqueConstraintError',
    prepare: ({ Child }) => Child.create({ name: 'same' }),
    run: ({ Child, tx }) => Child.create({ name: 'same' }, { ...tx }),
  },
  'bulkCreate of a child without its parent, until the commit': {
    throws: 'SequelizeForeignKeyConstraintError',
    run: ({ Child, tx }) => Child.bulkCreate([{ parentId: 9 }, { parentId: 8 }], { ...tx }),
  },
  'destroy of a parent that a child forbids at once': {
    throws: RESTRICTED,
    prepare: async ({ Parent, Child }) => [
      await Parent.create({ id: 9 }),
      await Child.create({ parentId: 9 }),
    ],
    run: ({ Parent, tx }) => Parent.destroy({ ...tx, where: { id: 9 } }),
  },
  'update of a child to a parent that is missing, until the commit': {
    throws: 'SequelizeForeignKeyConstraintError',
    prepare: async ({ Parent, Child }) => [
      await Parent.create({ id: 9 }),
      await Child.create({ parentId: 9 }),
    ],
    run: ({ Child, tx }) => Child.update({ parentId: 10 }, { ...tx, where: {} }),
  },
});

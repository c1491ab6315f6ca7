import { DataTypes, type Model, type ModelStatic, type Sequelize } from 'sequelize';
import { equivalence, mixin } from './support/equivalence';
import type { Recorder } from './support/hook-recorder';

type AnyModel = ModelStatic<Model>;
type Keyed = Record<'Slot' | 'Ticket' | 'Country' | 'Ledger' | 'Line' | 'Renamed', AnyModel>;

const KEY = { primaryKey: true } as const;

function define(sequelize: Sequelize, recorder: Recorder, otherSchema: string): Keyed {
  const model = (
    name: string,
    attributes: Parameters<Sequelize['define']>[1],
    options: object = {},
  ): AnyModel => sequelize.define(name, attributes, { hooks: recorder.hooksFor(name), ...options });
  const keyed: Keyed = {
    Slot: model('Slot', {
      room: { type: DataTypes.INTEGER, ...KEY },
      day: { type: DataTypes.DATEONLY, ...KEY },
      note: DataTypes.STRING,
    }),
    Ticket: model('Ticket', {
      id: { type: DataTypes.UUID, defaultValue: DataTypes.UUIDV4, ...KEY },
      note: DataTypes.STRING,
    }),
    Country: model(
      'Country',
      { code: { type: DataTypes.STRING(10), ...KEY }, name: DataTypes.STRING },
      { timestamps: false },
    ),
    Ledger: model(
      'Ledger',
      { id: { type: DataTypes.BIGINT, autoIncrement: true, ...KEY }, note: DataTypes.STRING },
      { underscored: true, schema: otherSchema },
    ),
    Line: model(
      'Line',
      { no: { type: DataTypes.INTEGER, ...KEY }, note: DataTypes.STRING },
      { freezeTableName: true, tableName: 'Line "Items"' },
    ),
    Renamed: model(
      'Renamed',
      {
        key: { type: DataTypes.INTEGER, field: 'the_key', autoIncrement: true, ...KEY },
        value: { type: DataTypes.STRING, field: 'the_value' },
      },
      { createdAt: 'made_at', updatedAt: false, tableName: 'select' },
    ),
  };
  keyed.Ledger.hasMany(keyed.Line, {
    as: 'lines',
    foreignKey: { name: 'ledgerId', field: 'ledger_id' },
    onDelete: 'CASCADE',
  });
  return keyed;
}

const tested = equivalence({ define });

const slot = { room: 1, day: '2026-02-03', note: 'first' };
const key = '11111111-2222-4333-8444-555555555555';

tested.test({
  'create with a composite key': { run: ({ Slot, tx }) => Slot.create(slot, { ...tx }) },
  'create of a duplicate composite key': {
    throws: 'SequelizeUniqueConstraintError',
    prepare: ({ Slot }) => Slot.create(slot),
    run: ({ Slot, tx }) => Slot.create(slot, { ...tx }),
  },
  'create without half of the key': {
    throws: 'SequelizeDatabaseError',
    run: ({ Slot, tx }) => Slot.create({ room: 1 }, { ...tx }),
  },
  'update by a composite key': {
    prepare: ({ Slot }) => Slot.bulkCreate([slot, { room: 1, day: '2026-02-04' }]),
    run: async ({ Slot, tx }) =>
      (await Slot.findOne({ ...tx, where: { day: '2026-02-03' }, rejectOnEmpty: true })).update(
        { note: 'new' },
        { ...tx },
      ),
  },
  'update of half of a composite key': {
    prepare: ({ Slot }) => Slot.bulkCreate([slot, { room: 1, day: '2026-02-04' }]),
    entries: 4,
    run: ({ Slot, tx }) => Slot.update({ room: 2 }, { ...tx, where: { room: 1 }, returning: true }),
  },
  'upsert by a composite key': {
    prepare: ({ Slot }) => Slot.create(slot),
    run: ({ Slot, tx }) => Slot.upsert({ ...slot, note: 'upserted' }, { ...tx }),
  },
  'destroy by a composite key': {
    prepare: ({ Slot }) => Slot.create(slot),
    run: async ({ Slot, tx }) => (await Slot.findOne({ ...tx, rejectOnEmpty: true })).destroy({ ...tx }),
  },
  'create with a made key': { run: ({ Ticket, tx }) => Ticket.create({ note: 'n' }, { ...tx }) },
  'bulkCreate with made keys': {
    entries: 2,
    run: ({ Ticket, tx }) => Ticket.bulkCreate([{ note: 'a' }, { note: 'b' }], { ...tx }),
  },
  'update by a uuid': {
    prepare: ({ Ticket }) => Ticket.create({ id: key, note: 'a' }),
    run: ({ Ticket, tx }) => Ticket.update({ note: 'b' }, { ...tx, where: { id: key } }),
  },
  'destroy by something that is no uuid': {
    throws: 'SequelizeDatabaseError',
    run: ({ Ticket, tx }) => Ticket.destroy({ ...tx, where: { id: 'nonsense' } }),
  },
  'create with a text as key': {
    run: ({ Country, tx }) => Country.create({ code: `C'ôte "d\\`, name: 'x' }, { ...tx }),
  },
  'update of a text that is a key': {
    prepare: ({ Country }) => Country.create({ code: 'DE', name: 'x' }),
    entries: 2,
    run: ({ Country, tx }) => Country.update({ code: 'NL' }, { ...tx, where: { code: 'DE' } }),
  },
  'findOrCreate by a text that is a key': {
    run: ({ Country, tx }) =>
      Country.findOrCreate({ ...tx, where: { code: 'FR' }, defaults: { name: 'France' } }),
  },
  'create in another schema': { run: ({ Ledger, tx }) => Ledger.create({ note: 'n' }, { ...tx }) },
  'create of a large key': {
    run: ({ Ledger, tx }) => Ledger.create({ id: '9007199254740993', note: 'n' }, { ...tx }),
  },
  'increment of the large key of another schema': {
    prepare: ({ Ledger }) => Ledger.create({ note: 'n' }),
    entries: 2,
    run: ({ Ledger, tx }) => Ledger.increment('id', { ...tx, by: 5, where: { note: 'n' } }),
  },
  'update, upsert and destroy in another schema': {
    entries: 3,
    run: async ({ Ledger, tx }) => {
      const created = await Ledger.upsert({ id: 3, note: 'n' }, { ...tx });
      const updated = await Ledger.update({ note: 'm' }, { ...tx, where: { id: 3 } });
      return [created, updated, await Ledger.destroy({ ...tx, where: { id: 3 } })];
    },
  },
  'findOrCreate in another schema': {
    run: ({ Ledger, tx }) => Ledger.findOrCreate({ ...tx, where: { note: 'found' } }),
  },
  'truncate in another schema': {
    prepare: ({ Ledger }) => Ledger.create({ note: 'n' }),
    run: ({ Ledger, tx }) => Ledger.truncate({ ...tx, cascade: true }),
  },
  'cascade from another schema': {
    prepare: async ({ Ledger, Line }) => [
      await Ledger.create({ note: 'n' }),
      await Line.bulkCreate([
        { no: 1, ledgerId: 1 },
        { no: 2, ledgerId: 1 },
      ]),
    ],
    entries: 3,
    run: async ({ Ledger, tx }) =>
      (await Ledger.findByPk(1, { ...tx, rejectOnEmpty: true })).destroy({ ...tx }),
  },
  'mixin into a table with an odd name': {
    prepare: ({ Ledger }) => Ledger.create({ note: 'n' }),
    run: async ({ Ledger, tx }) =>
      mixin(await Ledger.findByPk(1, { ...tx }), 'createLine', { no: 7, note: 'x' }, { ...tx }),
  },
  'writes to a table with an odd name': {
    entries: 3,
    run: async ({ Line, tx }) => {
      const line = await Line.create({ no: 1, note: 'a' }, { ...tx });
      await line.update({ note: 'b' }, { ...tx });
      return [line, await Line.destroy({ ...tx, where: { no: 1 } })];
    },
  },
  'writes to renamed columns': {
    entries: 4,
    run: async ({ Renamed, tx }) => {
      const row = await Renamed.create({ value: 'a' }, { ...tx });
      await row.update({ value: 'b' }, { ...tx });
      const updated = await Renamed.update({ value: 'c' }, { ...tx, where: { value: 'b' }, returning: true });
      return [row, updated, await Renamed.upsert({ key: 1, value: 'd' }, { ...tx })];
    },
  },
});

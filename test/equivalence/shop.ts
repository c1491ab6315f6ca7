import { DataTypes, type Model, type ModelStatic, type Sequelize } from 'sequelize';
import type { Setting } from './support/equivalence';
import type { Recorder } from './support/hook-recorder';

type AnyModel = ModelStatic<Model>;

/** Models with every kind of association and every action of a foreign key. */
export type Shop = Record<
  | 'Maker'
  | 'Product'
  | 'Manual'
  | 'Review'
  | 'Photo'
  | 'Sale'
  | 'Tag'
  | 'ProductTag'
  | 'Shelf'
  | 'Placement'
  | 'Category',
  AnyModel
>;

function defineShop(sequelize: Sequelize, recorder: Recorder): Shop {
  const define = (
    name: string,
    attributes: Parameters<Sequelize['define']>[1],
    options: object = {},
  ): AnyModel => sequelize.define(name, attributes, { hooks: recorder.hooksFor(name), ...options });
  const text = { name: { type: DataTypes.STRING(30), allowNull: false } };
  const shop: Shop = {
    Maker: define('Maker', text),
    Product: define('Product', {
      ...text,
      price: DataTypes.DECIMAL(10, 2),
      sku: { type: DataTypes.STRING, unique: true },
    }),
    Manual: define('Manual', text),
    Review: define('Review', { ...text, stars: { type: DataTypes.INTEGER, validate: { max: 5 } } }),
    Photo: define('Photo', text, { paranoid: true }),
    Sale: define('Sale', text),
    Tag: define('Tag', text),
    ProductTag: define('ProductTag', {
      weight: DataTypes.INTEGER,
      since: { type: DataTypes.DATEONLY, defaultValue: '2026-01-01' },
    }),
    Shelf: define('Shelf', { code: { type: DataTypes.STRING(4), primaryKey: true } }, { timestamps: false }),
    Placement: define('Placement', {
      id: { type: DataTypes.INTEGER, primaryKey: true, autoIncrement: true },
      height: DataTypes.INTEGER,
    }),
    Category: define('Category', text),
  };
  associate(shop);
  return shop;
}

function associate({
  Maker,
  Product,
  Manual,
  Review,
  Photo,
  Sale,
  Tag,
  ProductTag,
  Shelf,
  Placement,
  Category,
}: Shop): void {
  Product.belongsTo(Maker, { as: 'maker', onDelete: 'SET NULL' });
  Maker.hasMany(Product, { as: 'products', foreignKey: 'makerId' });
  Product.hasOne(Manual, { as: 'manual', foreignKey: 'productId', onDelete: 'CASCADE' });
  Manual.belongsTo(Product, { as: 'product', foreignKey: 'productId' });
  Product.hasMany(Review, { as: 'reviews', foreignKey: 'productId', onDelete: 'CASCADE' });
  Review.belongsTo(Product, { as: 'product', foreignKey: 'productId' });
  Product.hasMany(Photo, { as: 'photos', foreignKey: 'productId', onDelete: 'SET NULL' });
  Product.hasMany(Sale, {
    as: 'sales',
    foreignKey: { name: 'productId', allowNull: false },
    onDelete: 'RESTRICT',
  });
  Product.belongsToMany(Tag, { through: ProductTag, as: 'tags', foreignKey: 'productId', otherKey: 'tagId' });
  Tag.belongsToMany(Product, {
    through: ProductTag,
    as: 'products',
    foreignKey: 'tagId',
    otherKey: 'productId',
  });
  Product.belongsToMany(Shelf, {
    through: Placement,
    as: 'shelves',
    foreignKey: 'productId',
    otherKey: 'shelfCode',
  });
  Shelf.belongsToMany(Product, {
    through: Placement,
    as: 'products',
    foreignKey: 'shelfCode',
    otherKey: 'productId',
  });
  Category.hasMany(Category, { as: 'children', foreignKey: 'parentId', onDelete: 'CASCADE' });
  Category.belongsTo(Category, { as: 'parent', foreignKey: 'parentId' });
}

export const shop: Setting<Shop> = { define: defineShop };

/** Two makers, a product with children of every kind, one without. */
export async function stock(models: Shop): Promise<void> {
  await models.Maker.bulkCreate([{ name: 'Acme' }, { name: 'Best' }]);
  await models.Product.bulkCreate([
    { name: 'Lamp', price: '9.50', makerId: 1, sku: 'L' },
    { name: 'Desk', price: '99', makerId: 1, sku: 'D' },
    { name: 'Rug' },
  ]);
  await models.Manual.create({ name: 'How to lamp', productId: 1 });
  await models.Review.bulkCreate([
    { name: 'Bright', stars: 5, productId: 1 },
    { name: 'Dim', stars: 1, productId: 1 },
    { name: 'Flat', productId: 2 },
  ]);
  await models.Photo.bulkCreate([
    { name: 'front', productId: 1 },
    { name: 'back', productId: 1 },
    { name: 'loose' },
  ]);
  await models.Tag.bulkCreate([{ name: 'home' }, { name: 'light' }, { name: 'sale' }]);
  await models.ProductTag.bulkCreate([
    { productId: 1, tagId: 1, weight: 1 },
    { productId: 1, tagId: 2 },
    { productId: 2, tagId: 1 },
  ]);
  await models.Shelf.bulkCreate([{ code: 'A1' }, { code: 'B2' }]);
  await models.Placement.bulkCreate([{ productId: 1, shelfCode: 'A1', height: 2 }]);
  await models.Category.bulkCreate([
    { name: 'root' },
    { name: 'child', parentId: 1 },
    { name: 'grandchild', parentId: 2 },
    { name: 'other' },
  ]);
}

export const product = ({ Product }: Shop, tx: object, id = 1): Promise<Model> =>
  Product.findByPk(id, { ...tx, rejectOnEmpty: true });

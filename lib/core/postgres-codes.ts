/** SQLSTATE values this library reacts to. */
export const UNDEFINED_TABLE = '42P01';
export const UNDEFINED_COLUMN = '42703';
/** Also of an operator: values of these types can't be compared. */
export const UNDEFINED_FUNCTION = '42883';
export const DATATYPE_MISMATCH = '42804';
export const INSUFFICIENT_PRIVILEGE = '42501';
/** Raised for "cached plan must not change result type" and for statements that rules forbid. */
export const FEATURE_NOT_SUPPORTED = '0A000';
export const INVALID_STATEMENT_NAME = '26000';
export const DUPLICATE_PREPARED_STATEMENT = '42P05';
export const READ_ONLY_TRANSACTION = '25006';
export const INVALID_TEXT = '22P02';

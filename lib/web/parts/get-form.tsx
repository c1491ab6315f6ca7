import type { ComponentChildren, JSX } from 'preact';

/**
 * A form that leads to an address. Browsers replace the query of a form's action by its fields, so what the address carries there
 * goes along as hidden fields, but those that the form has itself.
 */
export function GetForm({
  to,
  own = [],
  children,
  ...attributes
}: {
  readonly to: string;
  /** Names of the form's own fields. */
  readonly own?: readonly string[];
  readonly class?: string;
  readonly children: ComponentChildren;
} & { readonly [data: `data-${string}`]: string | boolean | undefined }): JSX.Element {
  const [path, query = ''] = to.split('?');
  const kept = [...new URLSearchParams(query)].filter(([name]) => !own.includes(name));
  return (
    <form method="get" action={path} {...attributes}>
      {kept.map(([name, value]) => (
        <input key={`${name}=${value}`} type="hidden" name={name} value={value} />
      ))}
      {children}
    </form>
  );
}

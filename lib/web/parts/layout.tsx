import type { ComponentChild, ComponentChildren, JSX } from 'preact';
import { assetName } from '../assets';
import type { MessageKey } from '../messages';
import { permits } from '../security';
import type { Visit } from '../visit';

interface LayoutProps {
  readonly visit: Visit;
  /** Of the page; the router's title follows it in the window. */
  readonly title: string;
  /** The entry of the navigation this page belongs to. */
  readonly current?: 'activity' | 'deleted' | 'models';
  readonly children: ComponentChildren;
}

type Section = NonNullable<LayoutProps['current']>;

function NavLink({
  visit,
  section,
  current,
}: {
  readonly visit: Visit;
  readonly section: Section;
  readonly current: Section | undefined;
}): JSX.Element {
  const { urls, texts } = visit;
  const href = { activity: urls.feed(), deleted: urls.deleted(), models: urls.models() }[section];
  return (
    <a href={href} aria-current={section === current ? 'page' : undefined}>
      {texts.t(`nav.${section}` satisfies MessageKey)}
    </a>
  );
}

function Head({ visit, title }: LayoutProps): JSX.Element {
  const { urls } = visit;
  return (
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <meta name="color-scheme" content="light dark" />
      <title>{`${title} · ${visit.web.options.title}`}</title>
      {permits(visit.res, 'img-src') && <link rel="icon" href={urls.asset(assetName('icon.svg'))} />}
      <link rel="stylesheet" href={urls.asset(assetName('audit.css'))} />
      <script src={urls.asset(assetName('audit.js'))} defer />
    </head>
  );
}

/** The same drawing as the icon, in the page's own colours. */
function Mark(): JSX.Element {
  return (
    <svg class="mark" viewBox="0 0 32 32" width="22" height="22" aria-hidden="true">
      <rect width="32" height="32" rx="7" />
      <path d="M9 10h14M9 16h14M9 22h8" />
    </svg>
  );
}

function Header({ visit, current }: LayoutProps): JSX.Element {
  const { urls, texts, web } = visit;
  return (
    <header class="top">
      <div class="top-inner">
        <a class="brand" href={urls.feed()}>
          <Mark />
          {web.options.title}
        </a>
        <nav aria-label={texts.t('nav.label')}>
          {(['activity', 'deleted', 'models'] as const).map((section) => (
            <NavLink key={section} visit={visit} section={section} current={current} />
          ))}
        </nav>
      </div>
    </header>
  );
}

/** The frame of every page. `data-*` on the root element is what the script reads. */
export function Layout(props: LayoutProps): JSX.Element {
  const { visit, children } = props;
  const { urls, texts, clock } = visit;
  return (
    <html
      lang={texts.locale}
      data-root={urls.root}
      data-zone={clock.zone}
      data-zone-asked={visit.query.get('tz') ? '' : undefined}
      data-locale={clock.locale}
      data-fetch={permits(visit.res, 'connect-src') ? '' : undefined}
      data-texts={JSON.stringify(texts.forScript)}
    >
      <Head {...props} />
      <body>
        <a class="skip" href="#content">
          {texts.t('nav.skip')}
        </a>
        <Header {...props} />
        <main id="content" tabIndex={-1}>
          {children}
        </main>
        <footer class="bottom">
          <span data-zone-name>{texts.t('page.zone', { zone: clock.zone })}</span>
        </footer>
      </body>
    </html>
  );
}

/** A form that changes something: POST, with the host's token. */
export function PostForm({
  visit,
  action,
  class: className,
  children,
}: {
  readonly visit: Visit;
  readonly action: string;
  readonly class?: string;
  readonly children: ComponentChildren;
}): JSX.Element {
  const { csrf } = visit;
  return (
    <form method="post" action={action} class={className}>
      {csrf && <input type="hidden" name={csrf.name} value={csrf.value} />}
      {children}
    </form>
  );
}

/** Fields of the query that a GET form has to carry along, except those it has itself. */
export function CarryQuery({
  visit,
  except,
}: {
  readonly visit: Visit;
  readonly except: readonly string[];
}): ComponentChild {
  return [...visit.query]
    .filter(([name]) => !except.includes(name))
    .map(([name, value]) => <input key={`${name}=${value}`} type="hidden" name={name} value={value} />);
}

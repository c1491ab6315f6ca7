import type { ComponentChild, JSX } from 'preact';
import type { Registration } from '../../capture/registry';
import { hiddenReasons } from '../../past/object-state';
import { timeText } from '../../schema/exact-time';
import { html, type Answer } from '../answers';
import { fieldOf } from '../parts/fields';
import { Layout } from '../parts/layout';
import { Moment } from '../parts/moment';
import { amongFound } from '../per-model';
import { inScope } from '../visible';
import type { Visit } from '../visit';

/** When the entries of each model begin. One statement, each model by its index. */
async function oldestOf(visit: Visit, models: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const { settings } = visit.web;
  const finds = models.map((model) => ({
    where: inScope(visit, { model }),
    order: [['id', 'ASC']] as [['id', 'ASC']],
    limit: 1,
  }));
  const oldest = await visit.read((transaction) =>
    settings.LogEntry.findAll({
      attributes: ['model', 'timestamp'],
      where: amongFound(settings, finds),
      transaction,
    }),
  );
  return new Map(oldest.map(({ model, timestamp }) => [model, timeText(timestamp)]));
}

interface RowProps {
  readonly visit: Visit;
  readonly registration: Registration;
  readonly oldest: string | undefined;
}

function Names({
  visit,
  model,
  names,
}: {
  readonly visit: Visit;
  readonly model: string;
  readonly names: readonly string[];
}): JSX.Element {
  const { texts, access } = visit;
  const seen = names.filter((name) => access.sees(model, name));
  const concealed = names.length - seen.length;
  const labels = seen.map((name) => fieldOf(visit, model, name).label).join(', ');
  if (names.length === 0) return <span class="muted">{texts.t('models.none')}</span>;
  return (
    <>
      {labels}
      {concealed > 0 && <span class="muted"> ({texts.tn('models.concealed', concealed)})</span>}
    </>
  );
}

function Row({ visit, registration, oldest }: RowProps): JSX.Element {
  const { texts, urls } = visit;
  const { name, options, tracked, table } = registration;
  const reasons = [...hiddenReasons(registration)];
  const shown = tracked.columns.filter(({ mask }) => mask === null).map(({ attribute }) => attribute);
  const because = (reason: string): string[] =>
    reasons.filter(([, why]) => why === reason).map(([attribute]) => attribute);
  const cell = (label: string, children: ComponentChild): JSX.Element => (
    <td data-label={label}>{children}</td>
  );
  const names = (list: readonly string[]): JSX.Element => <Names visit={visit} model={name} names={list} />;
  return (
    <tr data-item>
      <th scope="row">
        <a href={urls.feed({ model: name })}>{name}</a> <span class="muted code">{table.table}</span>
      </th>
      {cell(texts.t('models.tracked'), names(shown))}
      {cell(texts.t('models.masked'), names(because('masked')))}
      {cell(texts.t('models.excluded'), names(because('excluded')))}
      {cell(texts.t('models.associations'), names(options.associations))}
      {cell(texts.t('models.versions'), texts.t(options.snapshots ? 'models.yes' : 'models.no'))}
      {cell(
        texts.t('models.oldest'),
        oldest === undefined ? texts.t('models.none') : <Moment visit={visit} at={oldest} bare />,
      )}
    </tr>
  );
}

const COLUMNS = ['model', 'tracked', 'masked', 'excluded', 'associations', 'versions', 'oldest'] as const;

function Page({
  visit,
  models,
  oldest,
}: {
  readonly visit: Visit;
  readonly models: readonly string[];
  readonly oldest: ReadonlyMap<string, string>;
}): JSX.Element {
  const { texts } = visit;
  const { registry } = visit.web.settings;
  const registrations = models.map((model) => registry.findByName(model)).filter((each) => each !== null);
  return (
    <Layout visit={visit} title={texts.t('models.title')} current="models">
      <h1>{texts.t('models.title')}</h1>
      <p class="lead">{texts.t('models.lead')}</p>
      <div class="table-wrap">
        <table class="models stack">
          <caption class="visually-hidden">{texts.t('models.caption')}</caption>
          <thead>
            <tr>
              {COLUMNS.map((name) => (
                <th key={name} scope="col">
                  {texts.t(`models.${name}`)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {registrations.map((registration) => (
              <Row
                key={registration.name}
                visit={visit}
                registration={registration}
                oldest={oldest.get(registration.name)}
              />
            ))}
          </tbody>
        </table>
      </div>
    </Layout>
  );
}

/** What is recorded of each model. */
export async function modelsPage(visit: Visit): Promise<Answer> {
  const models = await visit.access.requireModels('view');
  const oldest = await oldestOf(visit, models);
  return html(<Page visit={visit} models={models} oldest={oldest} />);
}

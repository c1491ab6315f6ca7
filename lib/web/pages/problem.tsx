import type { JSX } from 'preact';
import type { MessageKey } from '../messages';
import { html, type Answer } from '../answers';
import { Layout } from '../parts/layout';
import type { WebProblem } from '../problem';
import type { Visit } from '../visit';

const TITLED = [400, 403, 404, 409, 503];

function titleOf({ texts }: Visit, { status, title }: WebProblem): string {
  return TITLED.includes(status) ? texts.t(`problem.${status}` as MessageKey) : title;
}

function Problem({ visit, problem }: { readonly visit: Visit; readonly problem: WebProblem }): JSX.Element {
  const title = titleOf(visit, problem);
  return (
    <Layout visit={visit} title={title}>
      <h1>{title}</h1>
      {problem.detail && <p>{problem.detail}</p>}
      {problem.status !== 403 && (
        <p>
          <a href={visit.urls.feed()}>{visit.texts.t('problem.back')}</a>
        </p>
      )}
    </Layout>
  );
}

/** A problem as a page. */
export function problemPage(visit: Visit, problem: WebProblem): Answer {
  return html(<Problem visit={visit} problem={problem} />, problem.status, problem.headers);
}

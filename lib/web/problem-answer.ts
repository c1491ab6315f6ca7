import { json, type Answer } from './answers';
import { problemPage } from './pages/problem';
import type { WebProblem } from './problem';
import type { Route } from './route';
import type { Visit } from './visit';

/** RFC 9457: `type` is stable and names the kind of problem. */
function problemJson({ status, title, detail, parameter, headers }: WebProblem): Answer {
  const type = `urn:sequelize-auditlog:problem:${title.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}`;
  const body = {
    type,
    title,
    status,
    ...(detail === null ? {} : { detail }),
    ...(parameter === null ? {} : { parameter }),
  };
  return json(body, status, { 'content-type': 'application/problem+json; charset=utf-8', ...headers });
}

export function problemAnswer(visit: Visit, kind: Route['kind'], problem: WebProblem): Answer {
  return kind === 'api' ? problemJson(problem) : problemPage(visit, problem);
}

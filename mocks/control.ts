/** The control API of a mock service: reads the requests it was sent, and sets its faults. */
import type { Faults } from './faults.ts';
import { faultList } from './faults.ts';
import { toDetail, toProblem } from './problem.ts';
import type { RequestLog } from './request-log.ts';

const prefix = '/__mock/';

export function isControl(target: string): boolean {
  return target.startsWith(prefix);
}

export function createControl(
  log: RequestLog,
  faults: Faults,
): (request: Request) => Response | Promise<Response> {
  return (request) => {
    const { pathname } = new URL(request.url);
    switch (`${request.method} ${pathname}`) {
      case `GET ${prefix}requests`:
        return Response.json(log.list());
      case `DELETE ${prefix}requests`:
        return toNoContent(() => log.clear());
      case `GET ${prefix}faults`:
        return Response.json(faults.list());
      case `PUT ${prefix}faults`:
        return replaceFaults(faults, request);
      case `DELETE ${prefix}faults`:
        return toNoContent(() => faults.replace([]));
      default:
        return toProblem(
          404,
          'The control API has GET and DELETE requests; GET, PUT, DELETE faults.',
        );
    }
  };
}

async function replaceFaults(faults: Faults, request: Request): Promise<Response> {
  const body = await request.json().catch(() => undefined);
  if (body === undefined) return toProblem(400, 'The body is not JSON. Send a list of faults.');
  const parsed = faultList.safeParse(body);
  if (!parsed.success) return toProblem(400, toDetail('The list of faults', parsed.error));
  return toNoContent(() => faults.replace(parsed.data));
}

function toNoContent(change: () => void): Response {
  change();
  return new Response(null, { status: 204 });
}

/** The parts of a request's URL, as they were sent: what Node hands on has been checked already. */

/** Also the `instance` of problems, which is a URI reference. */
export function pathOf(url: string): string {
  const start = url.indexOf('/', url.indexOf('://') + 3);
  const end = url.indexOf('?', start);
  return end === -1 ? url.slice(start) : url.slice(start, end);
}

const noQuery = new URLSearchParams();

export function queryOf(url: string): URLSearchParams {
  const start = url.indexOf('?');
  return start === -1 ? noQuery : new URLSearchParams(url.slice(start + 1));
}

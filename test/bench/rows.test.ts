import { describe, expect, it } from 'vitest';
import { toGraphQL } from '../../bench/baselines/graphql/requests.ts';
import { against, coveringRows, findRows, rows } from '../../bench/rows.ts';

describe('the rows of the bench', () => {
  it('have names of their own', () => {
    expect(new Set(rows.map(({ name }) => name)).size).toBe(rows.length);
  });

  it('compare programs whose names differ', () => {
    for (const { name, programs } of rows) {
      expect(new Set(programs.map((program) => program.name)).size, name).toBe(programs.length);
    }
  });

  it('set targets for programs that they compare, or for the checkout before', () => {
    for (const { name, programs, targets = [] } of rows) {
      const known = ['before', ...programs.map((program) => program.name)];
      const wanted = targets.flatMap((target) => (target.of === 'subject' ? [] : [target.to]));
      expect(known, name).toEqual(expect.arrayContaining(wanted));
    }
  });

  it('are found by name, or by the words their names begin with', () => {
    expect(findRows('list-25').map(({ name }) => name)).toEqual(['list-25']);
    expect(findRows('list').map(({ name }) => name)).toEqual(['list-25', 'list-100']);
    expect(findRows()).toBe(rows);
  });

  it('are listed to whoever asks for one that is not there', () => {
    expect(() => findRows('lists')).toThrow(
      /^There is no row "lists"\. There are: .*list-25, list-100/,
    );
  });

  it('have every program in those of a smoke test, though not every row', () => {
    const covering = coveringRows();
    const programs = new Set(covering.flatMap((row) => row.programs));
    expect(covering.length).toBeLessThan(rows.length);
    for (const program of rows.flatMap((row) => row.programs)) expect(programs).toContain(program);
  });
});

describe('a row against another checkout', () => {
  it('has the subject of that checkout as one more program', async () => {
    const [row] = findRows('list-25');
    const programs = row === undefined ? [] : against(row, '/before').programs;
    expect(programs.map(({ name }) => name)).toEqual([
      'plait',
      'by hand',
      'careful hand',
      'Mercurius',
      'Yoga',
      'before',
    ]);
  });
});

describe('a GraphQL client of the bench', () => {
  it('posts the text of a query with the variables of a request', () => {
    const { path, body = '' } = toGraphQL({ path: '/customers/cus_1/orders?limit=25' });
    expect(path).toBe('/graphql');
    expect(JSON.parse(body)).toMatchObject({
      operationName: 'Page',
      query: expect.stringContaining('query Page($customerId: ID!, $limit: Int!)'),
      variables: { customerId: 'cus_1', limit: 25 },
    });
  });

  it('has a query for every request of the rows that compare it', () => {
    for (const { programs, load } of rows) {
      const { toRequest } = programs.find(({ name }) => name === 'Yoga') ?? {};
      if (toRequest === undefined || load.kind === 'start') continue;
      expect(load.requests.map(toRequest)).toHaveLength(load.requests.length);
    }
  });

  it('is told when an address has no query', () => {
    expect(() => toGraphQL({ path: '/cached/ord_1' })).toThrow(
      '/cached/ord_1 has no GraphQL query',
    );
  });
});

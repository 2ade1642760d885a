/** A colour for each owner: our code, packages and Node can be told apart from afar. */

const families = {
  ours: ['#6fa8f5', '#a08ff2', '#5cc8d7', '#f099cf', '#a6d8f9', '#d1a8f5', '#74d3c0', '#b5bdf7'],
  packages: [
    '#f6a04d',
    '#f7d046',
    '#8fce5a',
    '#e8836b',
    '#cfb53b',
    '#4dc19c',
    '#d9a679',
    '#c3d96b',
  ],
  node: ['#c4ccd4', '#a9b4bf', '#dce2e8', '#93a0ad', '#b5bfc9', '#e9ecef'],
} as const;

const outside: Readonly<Record<string, string>> = {
  '(garbage collector)': '#e5534b',
  '(program)': '#f3d3d0',
};

/** The same for the same owners, whatever each of them costs. */
export function coloursOf(owners: readonly string[]): ReadonlyMap<string, string> {
  const inOrder = [...new Set(owners)].toSorted();
  return new Map(
    [...Map.groupBy(inOrder, familyOf)].flatMap(([family, members]) =>
      members.map((owner, index) => {
        const colours = families[family];
        return [owner, outside[owner] ?? colours[index % colours.length] ?? colours[0]] as const;
      }),
    ),
  );
}

function familyOf(owner: string): keyof typeof families {
  if (/^(src(\/.*)?|compositions|bench)$/.test(owner)) return 'ours';
  return owner.startsWith('node ') ? 'node' : 'packages';
}

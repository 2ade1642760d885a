/** Folders of compositions that belong to a checkout of Plait: `plait` is what they find in it. */
import { hash } from 'node:crypto';
import { cp, mkdir, readFile, readdir, symlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';

const ours = join(import.meta.dirname, 'compositions');
const shippedRoute = "route: 'GET /orders/:orderId/summary'";
const highest = 1_000;

/** The one that every generated folder has; a router that goes through a list finds it last. */
export const lastGenerated = pathOf(highest);

/** The bench's own compositions, or the `protected` ones, for another checkout. */
export async function borrowCompositions(
  checkout: string,
  folder: string,
  name: 'compositions' | 'protected',
): Promise<string> {
  const project = join(folder, `project-${basename(checkout)}`);
  await inProject(checkout, project, async (compositions) => {
    await cp(ours, compositions, { recursive: true });
    await cp(join(import.meta.dirname, 'protected'), join(project, 'protected'), {
      recursive: true,
    });
  });
  return join(project, name);
}

/** The same with a `gateway.ts` that exports `definition`, an expression. */
export async function definedCompositions(
  checkout: string,
  folder: string,
  definition: string,
): Promise<string> {
  const project = join(
    folder,
    `project-${basename(checkout)}-${hash('sha256', definition).slice(0, 8)}`,
  );
  return inProject(checkout, project, async (compositions) => {
    await cp(ours, compositions, { recursive: true });
    await writeFile(
      join(compositions, 'gateway.ts'),
      `import { defineGateway } from 'plait';\nexport default ${definition};\n`,
    );
  });
}

/** Up to 1,000 compositions: the shipped `order-summary`, each time at another address. */
export async function generateCompositions(
  checkout: string,
  folder: string,
  count: number,
): Promise<string> {
  const project = join(folder, `project-${basename(checkout)}-${count}`);
  return inProject(checkout, project, async (compositions) => {
    const shipped = join(checkout, 'compositions');
    const text = await readFile(join(shipped, 'order-summary.ts'), 'utf8');
    if (!text.includes(shippedRoute)) {
      throw new Error(`compositions/order-summary.ts has no ${shippedRoute}. Update this file.`);
    }
    await cp(join(shipped, 'upstreams'), join(compositions, 'upstreams'), { recursive: true });
    const numbers = Array.from({ length: count }, (_, index) => highest - index);
    await Promise.all(
      numbers.map((number) =>
        writeFile(
          join(compositions, `generated-${number}.ts`),
          text.replace(shippedRoute, `route: 'GET ${pathOf(number)}/:orderId/summary'`),
        ),
      ),
    );
  });
}

/**
 * A project made of links to the checkout, with a folder of compositions of its own, which `fill`
 * fills.
 */
async function inProject(
  checkout: string,
  project: string,
  fill: (compositions: string) => Promise<void>,
): Promise<string> {
  const compositions = join(project, 'compositions');
  // A row may start a program more than once.
  if ((await mkdir(compositions, { recursive: true })) === undefined) return compositions;
  const parts = (await readdir(checkout)).filter((part) => part !== 'compositions');
  await Promise.all(parts.map((part) => symlink(join(checkout, part), join(project, part))));
  await fill(compositions);
  return compositions;
}

function pathOf(number: number): string {
  return `/generated-${number}/orders`;
}

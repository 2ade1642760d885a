/** A folder with any number of compositions: the shipped `order-summary`, each time at another address. */
import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const shippedRoute = "route: 'GET /orders/:orderId/summary'";
const highest = 1_000;

/** The one that every generated folder has; whoever looks through a list finds it last. */
export const lastGenerated = pathOf(highest);

/** Up to 1,000, in a folder of their own where `plait` resolves as it does in the project. */
export async function generateCompositions(folder: string, count: number): Promise<string> {
  const project = join(folder, `project-${count}`);
  const compositions = join(project, 'compositions');
  // A row may start a program more than once.
  if ((await mkdir(compositions, { recursive: true })) === undefined) return compositions;
  await Promise.all([
    ...['src', 'node_modules'].map((part) => symlink(join(root, part), join(project, part))),
    ...['package.json', join('compositions', 'upstreams')].map((part) =>
      cp(join(root, part), join(project, part), { recursive: true }),
    ),
  ]);
  const text = await readFile(join(root, 'compositions', 'order-summary.ts'), 'utf8');
  if (!text.includes(shippedRoute)) {
    throw new Error(`compositions/order-summary.ts has no ${shippedRoute}. Update this file.`);
  }
  const numbers = Array.from({ length: count }, (_, index) => highest - index);
  await Promise.all(
    numbers.map((number) =>
      writeFile(
        join(compositions, `generated-${number}.ts`),
        text.replace(shippedRoute, `route: 'GET ${pathOf(number)}/:orderId/summary'`),
      ),
    ),
  );
  return compositions;
}

function pathOf(number: number): string {
  return `/generated-${number}/orders`;
}

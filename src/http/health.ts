/** Where whoever runs the process asks how it is: `/livez` whether it lives, `/readyz` whether it wants requests. */
export const healthPaths: ReadonlySet<string> = new Set(['/livez', '/readyz']);

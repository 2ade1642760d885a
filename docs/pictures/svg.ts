/** What all pictures of this folder share: SVG without scripts, and without fonts of its own. */

/** Those of GitHub's light pages. */
export const [ink, faint, line] = ['#1f2328', '#656d76', '#d8dee4'];
export const [red, yellow, green] = ['#d1242f', '#9a6700', '#1a7f37'];

/** The frame that a picture begins with. */
export function frame(width: number, height: number): string {
  return `<rect x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="6" fill="#fff" stroke="${line}"/>`;
}

export function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}

/** Frames of stacks for logs: without those of Node, which do not say where a mistake is. */

/** `at work (node:internal/process/task_queues:103:5)`, `at node:net:1:2`. */
const ofNode = /(?:\(|\bat |\basync )node:/;

/** The frames in the lines of a stack, trimmed. */
export function ownFrames(lines: readonly string[]): string[] {
  return lines
    .map((line) => line.trim())
    .filter((line) => line.startsWith('at ') && !ofNode.test(line));
}

/** A stack whose message may have any number of lines, without frames of Node. */
export function ownStack(stack: string): string {
  const lines = stack.split('\n');
  return lines.filter((line) => !/^ +at /.test(line) || !ofNode.test(line)).join('\n');
}

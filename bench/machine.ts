/** The machine and the tools: the figures depend on them, too. */
import { availableParallelism, cpus, release, type } from 'node:os';

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly system: string;
  readonly node: string;
  readonly pinning: string;
  readonly generator: string;
}

export function describeMachine(found: Pick<Machine, 'pinning' | 'generator'>): Machine {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    system: `${type()} ${release()}`,
    node: process.version,
    ...found,
  };
}

export function toLine({ cpu, cores, system, node, pinning, generator }: Machine): string {
  return `${cpu}, ${cores} cores, ${system}, Node ${node}, load by ${generator}, ${pinning}`;
}

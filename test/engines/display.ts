import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';

/** A screen for browsers that need one. */
export interface Display {
  /** What DISPLAY has to say. */
  readonly name: string;
  /** Ends it, where it was started here. */
  close(): void;
}

/** The screen that is there, else one of Xvfb's on a number that is free. */
export async function openDisplay(): Promise<Display> {
  const present = process.env['DISPLAY'];
  if (present) return { name: present, close: () => undefined };
  // Xvfb looks for a free number itself, and writes it to the file that -displayfd names.
  const server = spawn('Xvfb', ['-displayfd', '3', '-screen', '0', '1400x1000x24', '-nolisten', 'tcp'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  });
  const number = await new Promise<string>((resolve, reject) => {
    server.once('error', reject);
    server.once('exit', (code) => reject(new Error(`Xvfb ended with ${code}.`)));
    (server.stdio[3] as Readable).once('data', (told: Buffer) => resolve(told.toString().trim()));
  });
  return { name: `:${number}`, close: () => void server.kill() };
}

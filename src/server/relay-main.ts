#!/usr/bin/env node
import { CaptureError } from '../domain/result.ts';
import { readRelaySettings } from './environment.ts';
import { serveRelay } from './node.ts';

/** `kyc-capture-relay`: the relay as a process of its own, set up by its environment. */

try {
  const settings = readRelaySettings(process.env);
  const { identifai, eendigo } = settings.relay;
  const running = await serveRelay(settings, (line) => console.log(line));
  const providers = [...(identifai ? ['IdentifAI'] : []), ...(eendigo ? ['Eendigo'] : [])].join(' and ');
  console.log(`The relay to ${providers} listens on http://${settings.host}:${running.port}${settings.path}`);
  // A second signal ends the process at once, as it would without these.
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void running.close());
} catch (error) {
  const refused = error instanceof CaptureError;
  const reason = error instanceof Error ? error.message : 'unknown';
  console.error(refused ? reason : `The relay cannot start: ${reason}`);
  process.exit(refused ? 2 : 1);
}

/** What goes wrong in a page, and what it holds, kept by the page itself. */
export interface PageWatch {
  /** Warnings, errors, uncaught exceptions and rejections. */
  readonly complaints: string[];
  /** Directive and address of each breach of the page's policy. */
  readonly violations: string[];
  /** Those that have not been ended. */
  readonly workers: Set<Worker>;
  /** WebKit forgets what was set on this object, once nothing else holds it. */
  readonly devices: unknown;
}

/** Where the page keeps it. */
export const WATCH = '__kycEngineWatch';

/**
 * Runs in the page before any other script. Self-contained, because only its text travels there. What an engine's
 * remote control tells of the console differs, and WebDriver tells nothing; so every page listens for itself.
 */
export function watch(name: string): void {
  const kept: PageWatch = {
    complaints: [],
    violations: [],
    workers: new Set(),
    devices: navigator.mediaDevices,
  };
  Object.defineProperty(window, name, { value: kept });

  document.addEventListener('securitypolicyviolation', ({ effectiveDirective, blockedURI }) =>
    kept.violations.push(`${effectiveDirective} ${blockedURI}`),
  );
  addEventListener('error', ({ message }) => kept.complaints.push(`uncaught: ${message}`));
  addEventListener('unhandledrejection', ({ reason }) => kept.complaints.push(`rejected: ${String(reason)}`));
  for (const level of ['warn', 'error'] as const) {
    const write = console[level].bind(console);
    console[level] = (...said: unknown[]) => {
      kept.complaints.push(`${level}: ${said.join(' ')}`);
      write(...said);
    };
  }

  window.Worker = class extends Worker {
    constructor(...given: ConstructorParameters<typeof Worker>) {
      super(...given);
      kept.workers.add(this);
    }
    override terminate(): void {
      kept.workers.delete(this);
      super.terminate();
    }
  };
}

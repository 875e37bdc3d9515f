import { type AnalyserOptions, createAnalyser } from '../../src/analysis/analyser.ts';

/*
 * Runs in a page under a Content-Security-Policy, which a test page cannot be; bundled by `policy-server.ts`.
 */

/** What came of it. */
export interface PolicyOutcome {
  /** The kind of what was seen, or code and message of the error. */
  readonly outcome: string;
  /** Directives that the page broke. */
  readonly violations: readonly string[];
}

declare global {
  interface Window {
    runAnalysis(
      options: Pick<AnalyserOptions, 'rung' | 'integrity'> & { assetsBase: string },
    ): Promise<PolicyOutcome>;
  }
}

window.runAnalysis = async ({ assetsBase, ...options }) => {
  const violations: string[] = [];
  document.addEventListener('securitypolicyviolation', (event) =>
    violations.push(`${event.effectiveDirective} ${event.blockedURI.replace(/\/.*/, '')}`),
  );
  const { signal } = new AbortController();
  const analyser = createAnalyser({ assetsBase: new URL(assetsBase, location.href), signal, ...options });
  const box = { x: 0, y: 0, width: 64, height: 64 };
  const look = async (): Promise<string> => {
    await analyser.open(() => undefined);
    const blank = document.createElement('canvas');
    blank.getContext('2d')?.fillRect(0, 0, 64, 64);
    return (await analyser.analyse(await createImageBitmap(blank), 'face', box, 1)).kind;
  };
  const outcome = await look().catch(
    (error: unknown) => String((error as { code?: string }).code) + ': ' + String(error),
  );
  analyser.close();
  return { outcome, violations };
};

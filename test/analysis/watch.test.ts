import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { startWatch } from '../../src/analysis/watch.ts';

describe('a watch over 8 s', () => {
  const onExpiry = vi.fn();
  beforeEach(() => {
    onExpiry.mockReset();
    vi.useFakeTimers();
  });
  afterEach(() => vi.useRealTimers());

  test('expires once', () => {
    startWatch(8000, onExpiry);
    vi.advanceTimersByTime(7990);
    expect(onExpiry).not.toHaveBeenCalled();
    vi.advanceTimersByTime(60_000);
    expect(onExpiry).toHaveBeenCalledTimes(1);
    expect(vi.getTimerCount()).toBe(0);
  });
  test('begins anew when something is heard, and never earlier than it should', () => {
    const watch = startWatch(8000, onExpiry);
    for (const pause of [7900, 7900, 100, 7900, 7999]) {
      vi.advanceTimersByTime(pause);
      watch.feed();
    }
    vi.advanceTimersByTime(7999);
    expect(onExpiry).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1001);
    expect(onExpiry).toHaveBeenCalledTimes(1);
  });
  test('does not count the time that the page slept', () => {
    startWatch(8000, onExpiry);
    // A page that wakes up has its overdue timer called once, however long it slept.
    vi.setSystemTime(Date.now() + 3_600_000);
    vi.advanceTimersToNextTimer();
    expect(onExpiry).not.toHaveBeenCalled();
  });
  test('says nothing once it is stopped', () => {
    startWatch(8000, onExpiry).stop();
    vi.advanceTimersByTime(60_000);
    expect(onExpiry).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(0);
  });
});

import { css } from 'lit';
import { cameraStyles } from './camera-styles.ts';

const screens = css`
  :host {
    --kyc-accent: #0b5fd7;
    --kyc-on-accent: #fff;
    --kyc-good: #14804a;
    --kyc-wrong: #b3261e;
    --kyc-surface: #fff;
    --kyc-text: #14202e;
    --kyc-muted: #556273;
    --kyc-line: #d4dbe4;
    --kyc-radius: 16px;
    display: block;
    container-type: size;
    /* Where the surroundings ask for a width instead of giving one, as a dialog does: a container has none by itself. */
    contain-intrinsic-inline-size: min(30rem, 86vw);
    block-size: var(--kyc-block-size, min(44rem, 92dvh));
    min-block-size: 26rem;
    overflow: hidden;
    border-radius: var(--kyc-radius);
    background: var(--kyc-surface);
    color: var(--kyc-text);
    font: 400 1rem/1.5 var(--kyc-font, system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif);
    text-align: start;
    -webkit-text-size-adjust: 100%;
  }
  :host([hidden]) {
    display: none;
  }
  *,
  ::before,
  ::after {
    box-sizing: border-box;
  }
  h2,
  p,
  ol,
  ul {
    margin: 0;
    padding: 0;
  }
  h2 {
    font-size: 1.375rem;
    line-height: 1.25;
    letter-spacing: -0.01em;
    text-wrap: balance;
  }
  h2:focus {
    outline: none;
  }
  .count {
    color: var(--kyc-muted);
    font-size: 0.8125rem;
  }
  .icon {
    inline-size: 1.25em;
    block-size: 1.25em;
    flex: none;
    fill: none;
    stroke: currentColor;
    stroke-width: 2;
    stroke-linecap: round;
    stroke-linejoin: round;
  }

  .panel {
    display: flex;
    flex-direction: column;
    gap: 0.875rem;
    block-size: 100%;
    max-inline-size: 34rem;
    margin-inline: auto;
    padding: clamp(1.25rem, 5cqi, 2.25rem);
    overflow-y: auto;
  }
  .lead {
    color: var(--kyc-muted);
  }
  .plan {
    display: grid;
    gap: 0.875rem;
    margin-block: 0.5rem;
    list-style: none;
  }
  .plan li {
    display: flex;
    gap: 0.875rem;
    align-items: center;
  }
  .badge {
    display: grid;
    place-items: center;
    flex: none;
    inline-size: 2.5rem;
    block-size: 2.5rem;
    border-radius: 50%;
    background: color-mix(in srgb, var(--kyc-accent) 10%, transparent);
    color: var(--kyc-accent);
  }
  .advice:empty {
    display: none;
  }
  .privacy {
    display: flex;
    gap: 0.5rem;
    align-items: start;
    color: var(--kyc-muted);
    font-size: 0.875rem;
  }
  .consent {
    font-size: 0.875rem;
  }
  .actions {
    display: flex;
    flex-wrap: wrap;
    gap: 0.75rem;
    margin-block-start: auto;
    padding-block-start: 0.5rem;
  }
  .actions button {
    flex: 1 1 9rem;
  }

  button {
    min-block-size: 3rem;
    padding: 0.625rem 1.25rem;
    border: 1px solid transparent;
    border-radius: 999px;
    background: none;
    color: inherit;
    font: inherit;
    font-weight: 600;
    cursor: pointer;
  }
  button:focus-visible {
    outline: 3px solid color-mix(in srgb, var(--kyc-accent) 60%, #fff);
    outline-offset: 2px;
  }
  .primary {
    background: var(--kyc-accent);
    color: var(--kyc-on-accent);
  }
  .primary:hover {
    background: color-mix(in srgb, var(--kyc-accent) 88%, #000);
  }
  .secondary {
    border-color: var(--kyc-line);
  }
  .quiet {
    min-block-size: 2.75rem;
    padding-inline: 0.875rem;
  }

  progress {
    appearance: none;
    inline-size: min(100%, 20rem);
    block-size: 0.5rem;
    border: 0;
    border-radius: 999px;
    overflow: hidden;
    background: color-mix(in srgb, currentColor 18%, transparent);
    color: inherit;
  }
  progress::-webkit-progress-bar {
    background: none;
  }
  progress::-webkit-progress-value {
    border-radius: 999px;
    background: var(--kyc-accent);
  }
  progress::-moz-progress-bar {
    border-radius: 999px;
    background: var(--kyc-accent);
  }
  progress:indeterminate {
    background: linear-gradient(90deg, transparent 0 35%, var(--kyc-accent) 35% 65%, transparent 65%) 0 0 /
      300% 100% color-mix(in srgb, currentColor 18%, transparent);
    animation: waiting 1.6s linear infinite;
  }
  progress:indeterminate::-moz-progress-bar {
    background: none;
  }
  @keyframes waiting {
    from {
      background-position: 100% 0;
    }
    to {
      background-position: 0 0;
    }
  }

  .photo {
    flex: 1;
    min-block-size: 8rem;
    position: relative;
    overflow: hidden;
    border-radius: 12px;
    background: #0b1118;
  }
  .photo img {
    position: absolute;
    inline-size: 100%;
    block-size: 100%;
    object-fit: contain;
  }
  .doubt {
    display: flex;
    gap: 0.5rem;
    align-items: center;
    padding: 0.5rem 0.75rem;
    border-radius: 12px;
    background: #ffc24b;
    color: #241800;
    line-height: 1.3;
  }
  .message {
    align-items: center;
    justify-content: center;
    text-align: center;
  }
  .message .actions {
    inline-size: 100%;
    margin-block-start: 1rem;
    justify-content: center;
  }
  .message .actions button {
    max-inline-size: 16rem;
  }
  .mark {
    display: grid;
    place-items: center;
    inline-size: 4rem;
    block-size: 4rem;
    border-radius: 50%;
    font-size: 1.5rem;
    color: #fff;
    background: var(--kyc-accent);
  }
  .mark.good {
    background: var(--kyc-good);
  }
  .mark.wrong {
    background: var(--kyc-wrong);
  }
  .reasons {
    display: grid;
    gap: 0.25rem;
    padding-inline-start: 1.25rem;
    text-align: start;
  }
  .number {
    font-variant-numeric: tabular-nums;
  }

  @container (max-block-size: 34rem) {
    .plan {
      gap: 0.5rem;
    }
  }
  @media (prefers-reduced-motion: reduce) {
    progress:indeterminate {
      animation-duration: 6s;
    }
  }
`;

/** The look of every screen. A page changes it through the custom properties on `:host` and the parts. */
export const styles = [screens, cameraStyles];
